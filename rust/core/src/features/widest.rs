//! One function for every processor: the same code, compiled for the widest instructions that this processor has.

/// Define a function that runs as it was compiled for AVX-512, for AVX2 or for any processor, whichever is the best
/// that is there. Its body is plain code that the compiler turns into vectors: it gives the same numbers each way.
macro_rules! widest {
    ($(#[$about:meta])* $reach:vis fn $name:ident($($given:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        #[allow(unsafe_code)] // what is compiled for certain instructions may only run where they exist
        $reach fn $name($($given: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn plain($($given: $kind),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn widest($($given: $kind),*) $(-> $result)? {
                    plain($($given),*)
                }
                #[target_feature(enable = "avx2")]
                fn wide($($given: $kind),*) $(-> $result)? {
                    plain($($given),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    // SAFETY: the processor has the instructions.
                    return unsafe { widest($($given),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: as above.
                    return unsafe { wide($($given),*) };
                }
            }
            plain($($given),*)
        }
    };
}

pub(super) use widest;
