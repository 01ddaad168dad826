//! A whole local index: what is put is found.

use std::fs;

use super::*;
use crate::store::folder::{Folder, segment_path};
use crate::store::manifest::FileMark;
use packed::tests::{Written, pack};

/// A work of features that differ from those of other works, and a photo that shows it as it is.
fn work(number: u64) -> (Vec<u8>, Query) {
    let written: Vec<Written> = (0..20u16)
        .map(|feature| {
            let mixed = |value: u64| (value ^ value >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let scattered = mixed(mixed(mixed(number * 1000 + u64::from(feature) + 1)));
            let [x, y] = [scattered as u16, (scattered >> 16) as u16];
            (x, y, 64, 0, feature % 7, scattered)
        })
        .collect();
    let points: Vec<f32> = written
        .iter()
        .flat_map(|f| [f.0, f.1].map(|share| f32::from(share) / 65535.0 * 640.0))
        .collect();
    let words: Vec<u16> = written.iter().map(|f| f.4).collect();
    let signatures: Vec<u64> = written.iter().map(|f| f.5).collect();
    let arrays = Arrays {
        words: &words,
        signatures: &signatures,
        points: &points,
        scales: &[16.0; 20],
        angles: &[0.0; 20],
    };
    (
        pack([640, 640], 2, &written),
        Query::new(arrays, 1).expect("sound"),
    )
}

fn opened(folder: &Path) -> LocalIndex {
    let options = Options {
        fingerprint: "verifier".to_owned(),
        tail_rows: 10,
        threshold: 22,
    };
    LocalIndex::open(folder, options).expect("opened")
}

#[test]
fn answers_are_the_same_in_tail_and_segment_and_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = opened(folder.path());
    let works: Vec<_> = (0..9).map(work).collect();
    let features: Vec<&[u8]> = works.iter().map(|(packed, _)| &packed[..]).collect();
    index
        .put(&[0, 1, 2, 3, 4, 5, 6, 7, 8], &features, &[0; 9])
        .expect("put");
    let answers = |index: &LocalIndex| -> Vec<Vec<Hit>> {
        works
            .iter()
            .map(|(_, query)| index.search(query, 5, None).expect("found"))
            .collect()
    };
    let before = answers(&index);
    assert!(
        before
            .iter()
            .enumerate()
            .all(|(key, hits)| hits[0].key == key as u64 && hits[0].score > 0.9)
    );
    index.advance(9);
    assert!(index.checkpoint().expect("written"));
    assert_eq!(
        (
            index.statistics().store.tail_rows,
            index.statistics().postings
        ),
        (0, 180)
    );
    assert_eq!(answers(&index), before);
    index.close();
    let again = opened(folder.path());
    assert_eq!((again.len(), again.sequence()), (9, 9));
    assert_eq!(answers(&again), before);
}

/// Change a file of the newest generation's only segment, and have the manifest say that it must be so.
fn forge(path: &Path, kind: &str, change: impl FnOnce(&mut [u8])) {
    let folder = Folder::open(path).expect("a folder");
    let newest = folder.generations().expect("listed")[0];
    let mut manifest = folder.manifest(newest).expect("a manifest");
    let file = segment_path(path, manifest.segments[0].id, kind);
    let mut bytes = fs::read(&file).expect("read");
    change(&mut bytes);
    fs::write(&file, &bytes).expect("written");
    let mark = FileMark {
        bytes: bytes.len() as u64,
        blake3: blake3::hash(&bytes).to_string(),
    };
    manifest.segments[0].files.insert(kind.to_owned(), mark);
    folder.publish(&manifest).expect("written");
}

#[test]
fn a_spot_of_no_view_is_no_match_and_is_left_out_of_the_next_segment() {
    let folder = tempfile::tempdir().expect("a folder");
    let (packed, query) = work(1);
    let index = opened(folder.path());
    index
        .put(&[1, 2], &[&packed, &packed], &[0, 0])
        .expect("put");
    assert!(index.checkpoint().expect("written"));
    index.close();
    forge(folder.path(), "spots", |spots| spots[3] = 0xff);
    let index = opened(folder.path());
    assert_eq!(index.search(&query, 5, None).expect("found").len(), 2);
    index.put(&[3], &[&packed], &[0]).expect("put");
    assert!(index.checkpoint().expect("written"));
    assert_eq!(index.search(&query, 5, None).expect("found").len(), 3);
}

#[test]
fn queries_of_disagreeing_arrays_are_refused() {
    let sound = Arrays {
        words: &[1, 2],
        signatures: &[3, 4],
        points: &[0.0; 4],
        scales: &[1.0; 2],
        angles: &[0.0; 2],
    };
    assert!(Query::new(sound, 1).is_ok());
    assert!(Query::new(sound, 2).is_err() && Query::new(sound, 0).is_err());
    assert!(
        Query::new(
            Arrays {
                points: &[0.0; 3],
                ..sound
            },
            1
        )
        .is_err()
    );
    assert!(
        Query::new(
            Arrays {
                scales: &[1.0, 0.0],
                ..sound
            },
            1
        )
        .is_err()
    );
    assert!(
        Query::new(
            Arrays {
                angles: &[f32::NAN, 0.0],
                ..sound
            },
            1
        )
        .is_err()
    );
}
