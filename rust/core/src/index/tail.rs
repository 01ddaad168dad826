//! The newest rows, kept in memory and searched exactly.

use half::f16;
use roaring::RoaringTreemap;

use super::filter::Artists;
use super::product::dot;
use super::ranking::{Hit, Ranking};
use crate::store;

/// One view's row, wherever it is kept.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) key: u64,
    pub(crate) artist: i64,
    /// (dim,) values.
    pub(crate) row: &'a [f16],
}

/// Rows in the order in which they were put.
pub(crate) struct Block {
    dim: usize,
    keys: Vec<u64>,
    artists: Vec<i64>,
    rows: Vec<f16>,
}

impl Block {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            dim,
            keys: Vec::new(),
            artists: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Rows of (n,) keys and artists and (n, dim) values.
    pub(crate) fn of(dim: usize, keys: &[u64], artists: &[i64], rows: Vec<f16>) -> Self {
        Self {
            dim,
            keys: keys.to_vec(),
            artists: artists.to_vec(),
            rows,
        }
    }

    pub(crate) fn push(&mut self, entry: Entry<'_>) {
        self.keys.push(entry.key);
        self.artists.push(entry.artist);
        self.rows.extend_from_slice(entry.row);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let rows = self.rows.chunks_exact(self.dim);
        self.keys
            .iter()
            .zip(&self.artists)
            .zip(rows)
            .map(|((&key, &artist), row)| Entry { key, artist, row })
    }

    /// Offer every row that is not `removed` and passes the filter.
    pub(crate) fn search(
        &self,
        query: &[f16],
        filter: Option<&Artists>,
        removed: &RoaringTreemap,
        ranking: &mut Ranking,
    ) {
        for Entry { key, artist, row } in self.entries() {
            if filter.is_some_and(|artists| !artists.contains(artist)) {
                continue;
            }
            let score = dot(query, row);
            if ranking.takes(score) && !removed.contains(key) {
                ranking.offer(Hit { key, score });
            }
        }
    }
}

impl store::Block for Block {
    fn keys(&self) -> &[u64] {
        &self.keys
    }

    fn join(&self, newer: &Self) -> Self {
        Self {
            dim: self.dim,
            keys: [&self.keys[..], &newer.keys].concat(),
            artists: [&self.artists[..], &newer.artists].concat(),
            rows: [&self.rows[..], &newer.rows].concat(),
        }
    }

    fn retain(&self, mut keep: impl FnMut(u64) -> bool) -> Self {
        let mut kept = Self::new(self.dim);
        self.entries()
            .filter(|entry| keep(entry.key))
            .for_each(|entry| kept.push(entry));
        kept
    }
}
