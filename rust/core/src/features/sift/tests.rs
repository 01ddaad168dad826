//! What keypoints promise: they lie where something is, turn and grow with it, and no picture breaks them.

use std::f32::consts::{FRAC_PI_2, TAU};

use proptest::prelude::*;

use super::{Keypoints, PATCH, keypoints};

const SIDE: usize = 96;

/// A blob of this radius on gray, at a place.
fn blob(place: [f32; 2], radius: f32) -> Vec<u8> {
    let at = |number: usize| {
        let (x, y) = (
            (number % SIDE) as f32 - place[0],
            (number / SIDE) as f32 - place[1],
        );
        (60.0 + 150.0 * (-0.5 * (x * x + y * y) / (radius * radius)).exp()) as u8
    };
    (0..SIDE * SIDE).map(at).collect()
}

/// A patchwork, the same each time.
fn patchwork() -> Vec<u8> {
    let patch =
        |column: usize, row: usize| (((column * 31 + row * 57 + 11) * 2_654_435_761) >> 9) as u8;
    let at = |number: usize| patch(number % SIDE / 9, number / SIDE / 7);
    (0..SIDE * SIDE).map(at).collect()
}

fn turned(gray: &[u8]) -> Vec<u8> {
    let at = |number: usize| gray[number % SIDE * SIDE + SIDE - 1 - number / SIDE];
    (0..SIDE * SIDE).map(at).collect()
}

fn cosine(one: &[u8; PATCH], other: &[u8; PATCH]) -> f32 {
    let product = |one: &[u8; PATCH], other: &[u8; PATCH]| -> f32 {
        one.iter()
            .zip(other)
            .map(|(a, b)| f32::from(*a) * f32::from(*b))
            .sum()
    };
    product(one, other) / (product(one, one) * product(other, other)).sqrt()
}

#[test]
fn a_blob_is_found_where_it_is() {
    let found = keypoints(&blob([40.3, 52.7], 5.0), SIDE, 1, 1);
    assert!(
        (found.points[0][0] - 40.3).abs() < 0.1,
        "{:?}",
        found.points
    );
    assert!(
        (found.points[0][1] - 52.7).abs() < 0.1,
        "{:?}",
        found.points
    );
}

#[test]
fn a_larger_blob_has_a_larger_keypoint() {
    let scale = |radius: f32| keypoints(&blob([48.0, 48.0], radius), SIDE, 1, 1).scales[0];
    assert!(
        (scale(8.0) / scale(4.0) - 2.0).abs() < 0.1,
        "{} {}",
        scale(8.0),
        scale(4.0)
    );
}

#[test]
fn keypoints_turn_with_the_picture() {
    let (upright, turned) = (
        keypoints(&patchwork(), SIDE, 40, 40),
        keypoints(&turned(&patchwork()), SIDE, 400, 400),
    );
    let last = (SIDE - 1) as f32;
    let again = |at: usize| {
        let [x, y] = upright.points[at];
        (0..turned.points.len()).any(|other| {
            let [across, down] = turned.points[other];
            let turn = (upright.angles[at] - turned.angles[other] - FRAC_PI_2).rem_euclid(TAU);
            let near = (across - y).hypot(down - (last - x)) < 0.05 * upright.scales[at];
            near && turn.min(TAU - turn) < 0.1
                && cosine(&upright.patches[at], &turned.patches[other]) > 0.97
        })
    };
    let count = upright.points.len();
    assert!(count >= 20, "{count}");
    assert!((0..count).filter(|&at| again(at)).count() * 10 >= count * 9);
}

#[test]
fn the_strongest_are_the_first_of_all() {
    let (few, all) = (
        keypoints(&patchwork(), SIDE, 5, 5),
        keypoints(&patchwork(), SIDE, 1000, 1000),
    );
    assert_eq!(few.points[..], all.points[..5]);
    assert_eq!(few.patches[..], all.patches[..5]);
}

fn is_sound(found: &Keypoints, size: [usize; 2], count: usize) -> bool {
    let all = found.scales.len();
    let inside =
        |point: &[f32; 2]| (0..2).all(|axis| (0.0..size[axis] as f32).contains(&point[axis]));
    all <= count
        && [found.points.len(), found.angles.len(), found.patches.len()] == [all; 3]
        && found.points.iter().all(inside)
        && found
            .scales
            .iter()
            .all(|scale| scale.is_finite() && *scale > 0.0)
        && found.angles.iter().all(|angle| (0.0..TAU).contains(angle))
}

proptest! {
    #[test]
    fn any_picture_has_sound_keypoints(
        gray in prop::collection::vec(any::<u8>(), 0..6000),
        width in 0_usize..120,
        count in 0_usize..60,
    ) {
        let height = gray.len().checked_div(width).unwrap_or(0);
        let found = keypoints(&gray[..width * height], width, count, count);
        prop_assert!(is_sound(&found, [width, height], count));
    }

    #[test]
    fn extreme_pictures_have_sound_keypoints(
        cell in 1_usize..40,
        size in (1_usize..90, 1_usize..90),
        colours in any::<[u8; 2]>(),
    ) {
        let (width, height) = size;
        let at = |number: usize| colours[(number % width / cell + number / width / cell) % 2];
        let gray: Vec<u8> = (0..width * height).map(at).collect();
        prop_assert!(is_sound(&keypoints(&gray, width, 100, 100), [width, height], 100));
    }

    #[test]
    fn a_flat_picture_has_none(width in 1_usize..100, height in 1_usize..100, colour: u8) {
        prop_assert!(keypoints(&vec![colour; width * height], width, 100, 100).points.is_empty());
    }
}
