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
    let (mut highest, mut rows) = (vec![i32::MIN; width], vec![0; width]);
    let mut best_of_photo = Vec::with_capacity(photo.len() / DIM);
    for (row, products) in (0_u32..).zip(products.chunks_exact(width)) {
        products::raise(products, row, &mut highest, &mut rows);
        let (best, second) = products::two_highest(products);
        best_of_photo.push((best, second));
        if best >= least {
            products::places_from(products, least, &mut found.work);
            found.photo.resize(found.work.len(), row);
            let new = &found.work[found.products.len()..];
            found
                .products
                .extend(new.iter().map(|&column| products[column as usize]));
        }
    }
    let mut settled = None;
    for (place, (&row, &column)) in (0_u32..).zip(found.photo.iter().zip(&found.work)) {
        let (best, second) = best_of_photo[row as usize];
        let product = found.products[place as usize];
        if product != best || settled.replace(row) == Some(row) {
            continue; // not the photo patch's best, or its second place among equals
        }
        if rows[column as usize] == row {
            found.mutual.push(place);
            found
                .ratios
                .push((distance(product) / distance(second).max(1.0)) as f32);
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
