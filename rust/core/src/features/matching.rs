//! Which described patches of a photo look like which of a work.

use super::{DIM, UNIT, products};

/// What [`alike`] finds: numbers of patches of the photo and of the work, and how alike they are.
#[derive(Default)]
pub struct Alike {
    /// Patch of the photo, for each pair.
    pub photo: Vec<u32>,
    /// Patch of the work, for each pair.
    pub work: Vec<u32>,
    /// Inner product, for each pair.
    pub products: Vec<i32>,
    /// Places in the lists above of the pairs in which each is the other's most alike.
    pub mutual: Vec<u32>,
    /// For each of these, the photo patch's squared distance to it over that to the second of the work.
    pub ratios: Vec<f32>,
}

/// Return all pairs whose inner product is at least `least`, by patch of the photo.
pub fn alike(photo: &[i8], work: &[i8], least: i32) -> Alike {
    let width = work.len() / DIM;
    if photo.is_empty() || width == 0 {
        return Alike::default();
    }
    let mut products = vec![0; photo.len() / DIM * width];
    products::fill(photo, work, &mut products);
    let mut found = Alike::default();
    let mut best_of_work = vec![(i32::MIN, 0_usize); width];
    let mut best_of_photo = Vec::with_capacity(photo.len() / DIM);
    for (row, products) in products.chunks_exact(width).enumerate() {
        let (mut best, mut second, mut place) = (i32::MIN, i32::MIN, usize::MAX);
        for (column, (&product, best_here)) in products.iter().zip(&mut best_of_work).enumerate() {
            if product > best_here.0 {
                *best_here = (product, row);
            }
            if product >= least {
                found.photo.push(row as u32);
                found.work.push(column as u32);
                found.products.push(product);
            }
            if product > best {
                (second, best, place) = (best, product, column);
            } else if product > second {
                second = product;
            }
        }
        best_of_photo.push((place, second));
    }
    for (place, (&row, &column)) in found.photo.iter().zip(&found.work).enumerate() {
        let (best, second) = best_of_photo[row as usize];
        if best == column as usize && best_of_work[best].1 == row as usize {
            found.mutual.push(place as u32);
            found
                .ratios
                .push((distance(found.products[place]) / distance(second).max(1.0)) as f32);
        }
    }
    found
}

/// Squared distance of two unit vectors, up to a constant factor.
fn distance(product: i32) -> f64 {
    let most = i32::from(UNIT).pow(2);
    f64::from(most - product.clamp(-most, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patches(count: usize) -> Vec<i8> {
        (0..count * DIM)
            .map(|n| {
                if n / DIM == n % DIM {
                    120
                } else {
                    (n % 7) as i8
                }
            })
            .collect()
    }

    #[test]
    fn each_patch_finds_itself() {
        let work = patches(50);
        let found = alike(&work, &work, 1);
        let pairs: Vec<_> = found
            .mutual
            .iter()
            .map(|&at| (found.photo[at as usize], found.work[at as usize]))
            .collect();
        assert_eq!(pairs, (0..50).map(|n| (n, n)).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_looks_like_nothing() {
        assert!(alike(&[], &patches(3), 0).photo.is_empty());
        assert!(alike(&patches(3), &[], 0).photo.is_empty());
    }
}
