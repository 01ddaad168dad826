//! The `TurboJPEG` API of libjpeg-turbo, as far as it is needed here; the only unsafe code of the decoders.
//!
//! The `turbojpeg` crate's safe wrapper has no access to the strictness and memory limits that are needed.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::ptr::NonNull;

use turbojpeg_sys as raw;

use super::header::Header;
use crate::decode::geometry::Size;
use crate::decode::limits::Limits;

/// Rows follow one another without padding.
const PACKED_ROWS: libc::c_int = 0;

/// Why a call failed.
pub(super) struct Failure {
    pub(super) message: String,
    /// The decoder could go on.
    pub(super) warning: bool,
}

/// One decompressor, set up for one picture.
pub(super) struct Decompressor {
    handle: NonNull<libc::c_void>,
    /// Of the picture, as its header was read outside the library.
    size: Size,
    /// Bytes that `decompress` writes.
    bytes: usize,
    format: libc::c_int,
}

impl Decompressor {
    /// For a picture with this header at one `reduction`-th of its size.
    pub(super) fn new(header: &Header, reduction: u32) -> Result<Self, Failure> {
        let (format, samples) = match header.components.len() {
            1 => (raw::TJPF_TJPF_GRAY, 1),
            4 => (raw::TJPF_TJPF_CMYK, 4),
            _ => (raw::TJPF_TJPF_RGB, 3),
        };
        let size = header.size.reduced(reduction);
        // SAFETY: the argument is a documented constant.
        let handle =
            NonNull::new(unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS.cast_signed()) });
        let mut this = Self {
            handle: handle.ok_or_else(|| Failure {
                message: "out of memory".into(),
                warning: false,
            })?,
            size: header.size,
            bytes: size.pixels() as usize * samples,
            format,
        };
        this.set(raw::TJPARAM_TJPARAM_SCANLIMIT, Limits::SCANS.cast_signed())?;
        this.set(
            raw::TJPARAM_TJPARAM_MAXMEMORY,
            (Limits::BUFFER >> 20) as libc::c_int,
        )?;
        this.set(raw::TJPARAM_TJPARAM_STOPONWARNING, 1)?;
        this.set(raw::TJPARAM_TJPARAM_SAVEMARKERS, 0)?;
        let factor = raw::tjscalingfactor {
            num: 1,
            denom: reduction.cast_signed(),
        };
        // SAFETY: the handle lives as long as `this`.
        let status = unsafe { raw::tj3SetScalingFactor(this.handle.as_ptr(), factor) };
        this.checked(status)?;
        Ok(this)
    }

    /// Decode `data`, which must be the picture the decompressor was made for; only once, since an error leaves the
    /// library amid a header.
    pub(super) fn decompress(mut self, data: &[u8], pixels: &mut [u8]) -> Result<(), Failure> {
        let length = data.len() as raw::size_t;
        // SAFETY: the pointer and the length are those of a live slice.
        let status =
            unsafe { raw::tj3DecompressHeader(self.handle.as_ptr(), data.as_ptr(), length) };
        self.checked(status)?;
        self.check_output(pixels)?;
        // SAFETY: `data` as above; `check_output` has made sure, by the library's own reading of the header, that
        // the rows it will write fit `pixels`.
        let status = unsafe {
            raw::tj3Decompress8(
                self.handle.as_ptr(),
                data.as_ptr(),
                length,
                pixels.as_mut_ptr(),
                PACKED_ROWS,
                self.format,
            )
        };
        self.checked(status)
    }

    /// The library reads the header for itself: it must not find another size, since it writes as many rows, nor a
    /// lossless picture, which it would not scale.
    fn check_output(&mut self, pixels: &[u8]) -> Result<(), Failure> {
        let width = self.get(raw::TJPARAM_TJPARAM_JPEGWIDTH);
        let height = self.get(raw::TJPARAM_TJPARAM_JPEGHEIGHT);
        let agreed = u32::try_from(width) == Ok(self.size.width)
            && u32::try_from(height) == Ok(self.size.height)
            && self.get(raw::TJPARAM_TJPARAM_LOSSLESS) == 0;
        if agreed && pixels.len() == self.bytes {
            return Ok(());
        }
        Err(Failure {
            message: "its headers contradict each other".into(),
            warning: false,
        })
    }

    fn get(&mut self, parameter: raw::TJPARAM) -> libc::c_int {
        // SAFETY: the handle lives as long as `self`.
        unsafe { raw::tj3Get(self.handle.as_ptr(), parameter.cast_signed()) }
    }

    fn set(&mut self, parameter: raw::TJPARAM, value: libc::c_int) -> Result<(), Failure> {
        // SAFETY: the handle lives as long as `self`.
        let status = unsafe { raw::tj3Set(self.handle.as_ptr(), parameter.cast_signed(), value) };
        self.checked(status)
    }

    fn checked(&mut self, status: libc::c_int) -> Result<(), Failure> {
        if status == 0 {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    fn failure(&mut self) -> Failure {
        // SAFETY: the library returns a terminated string that lives until the next call with this handle.
        let (message, code) = unsafe {
            let handle = self.handle.as_ptr();
            (
                CStr::from_ptr(raw::tj3GetErrorStr(handle)),
                raw::tj3GetErrorCode(handle),
            )
        };
        let message = message.to_string_lossy().into_owned();
        Failure {
            message,
            warning: code == raw::TJERR_TJERR_WARNING.cast_signed(),
        }
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init and is not used again.
        unsafe { raw::tj3Destroy(self.handle.as_ptr()) }
    }
}
