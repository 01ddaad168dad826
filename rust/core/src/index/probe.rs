//! Searching one segment: through its graph where that is enough, by exact comparison where it is not.

use std::ops::Range;
use std::thread;

use half::f16;
use roaring::RoaringTreemap;

use super::Options;
use super::filter::{Artists, covers, rows_in};
use super::graph::Graph;
use super::product::dot;
use super::ranking::{Hit, Ranking};
use super::rows::to_half;
use super::segment::Segment;
use super::table::Table;
use crate::Result;
use crate::store::Snapshot;

/// Candidates that a search of a graph of a million nodes keeps, and of a small one.
const WIDTH_OF_A_MILLION: usize = 256;
const MIN_WIDTH: usize = 128;
/// Rows that are compared in the time that a graph search takes for one of its candidates.
const ROWS_OF_A_CANDIDATE: usize = 100;
/// Rows from which on two threads compare them.
const SHARED_ROWS: usize = 20_000;

impl Snapshot<Options> {
    /// The `k` best hits, best first.
    pub(crate) fn search(
        &self,
        row: &[f32],
        k: usize,
        filter: Option<&Artists>,
    ) -> Result<Vec<Hit>> {
        let query = to_half(row);
        let mut ranking = Ranking::new(k);
        for segment in &self.segments {
            segment.search(&query, filter, &self.removed, &mut ranking)?;
        }
        for block in &self.blocks {
            block.search(&query, filter, &self.removed, &mut ranking);
        }
        Ok(ranking.into_hits())
    }
}

/// The entries of a segment that a search may return.
struct Allowed<'a> {
    table: &'a Table,
    ranges: Vec<Range<u32>>,
    filtered: bool,
    removed: &'a RoaringTreemap,
}

impl<'a> Allowed<'a> {
    fn new(table: &'a Table, filter: Option<&Artists>, removed: &'a RoaringTreemap) -> Self {
        let all = 0..table.keys().len() as u32;
        let ranges = match filter {
            Some(artists) => artists.ranges(table.artists(), table.artist_starts()),
            None => Vec::from([all]),
        };
        Self {
            table,
            ranges,
            filtered: filter.is_some(),
            removed,
        }
    }

    fn keys(&self, node: u32) -> impl Iterator<Item = u64> {
        let entries = self.table.entries(node).iter();
        let passing = entries.filter(|&&entry| !self.filtered || covers(&self.ranges, entry));
        let keys = passing.map(|&entry| self.table.keys()[entry as usize]);
        keys.filter(|&key| !self.removed.contains(key))
    }
}

impl Segment {
    /// Offer the entries nearest to the query that are not `removed` and pass the filter.
    pub(crate) fn search(
        &self,
        query: &[f16],
        filter: Option<&Artists>,
        removed: &RoaringTreemap,
        ranking: &mut Ranking,
    ) -> Result<()> {
        let allowed = Allowed::new(self.table(), filter, removed);
        if let Some(graph) = self.graph()
            && let Some(nodes) = self.near(graph, query, &allowed, ranking.k())?
        {
            for node in nodes {
                let score = dot(query, self.row(node));
                allowed
                    .keys(node)
                    .for_each(|key| ranking.offer(Hit { key, score }));
            }
            return Ok(());
        }
        self.compare_all(query, &allowed, ranking);
        Ok(())
    }

    /// The nodes worth an exact comparison, or None when comparing all allowed rows costs less than looking for enough.
    ///
    /// A first look shows how many of the nodes near this query are allowed, which the share of the rows does not tell:
    /// an artist's works are alike. A second, wider one is taken when it can be expected to do. What the graph cannot
    /// reach from here is never left out: then all are compared.
    fn near(
        &self,
        graph: &Graph,
        query: &[f16],
        allowed: &Allowed<'_>,
        k: usize,
    ) -> Result<Option<Vec<u32>>> {
        let rows = rows_in(&allowed.ranges);
        let mut width = width(self.table().node_count()).max(2 * k);
        if allowed.filtered {
            // the allowed are found among others, and so further out than the width is meant for
            width += width / 2;
        }
        // allowed among the candidates, so that the k best of them are not at the far end, where some are missed
        let enough = 3 * k;
        while rows > width * ROWS_OF_A_CANDIDATE {
            let found = graph.search(query, width)?;
            let exhausted = found.len() < width;
            let passing = found
                .into_iter()
                .filter(|&node| allowed.keys(node).next().is_some());
            let mut nodes: Vec<u32> = passing.collect();
            if nodes.len() >= enough.min(width) {
                nodes.truncate(enough);
                nodes.extend_from_slice(self.table().unreachable());
                nodes.sort_unstable();
                nodes.dedup();
                return Ok(Some(nodes));
            }
            if exhausted {
                break;
            }
            width = width * 2 * enough / nodes.len().max(1);
        }
        Ok(None)
    }

    /// Offer every allowed entry; two threads share the work when it is long.
    fn compare_all(&self, query: &[f16], allowed: &Allowed<'_>, ranking: &mut Ranking) {
        let rows = rows_in(&allowed.ranges);
        if rows < SHARED_ROWS {
            return self.compare(query, allowed, 0..rows, ranking);
        }
        let mut second = Ranking::new(ranking.k());
        thread::scope(|scope| {
            scope.spawn(|| self.compare(query, allowed, rows / 2..rows, &mut second));
            self.compare(query, allowed, 0..rows / 2, ranking);
        });
        second
            .into_hits()
            .into_iter()
            .for_each(|hit| ranking.offer(hit));
    }

    /// Offer the allowed entries with these positions among all allowed ones.
    fn compare(
        &self,
        query: &[f16],
        allowed: &Allowed<'_>,
        positions: Range<usize>,
        ranking: &mut Ranking,
    ) {
        let (keys, nodes) = (self.table().keys(), self.table().nodes());
        let ranges = allowed.ranges.iter();
        let entries = ranges.flat_map(|range| range.start as usize..range.end as usize);
        for entry in entries.skip(positions.start).take(positions.len()) {
            let score = dot(query, self.row(nodes[entry]));
            if ranking.takes(score) && !allowed.removed.contains(keys[entry]) {
                ranking.offer(Hit {
                    key: keys[entry],
                    score,
                });
            }
        }
    }
}

/// Candidates with which a graph of so many nodes finds more than 99 of 100 neighbours: growing with the root.
fn width(nodes: usize) -> usize {
    (nodes.isqrt() * WIDTH_OF_A_MILLION / 1000).clamp(MIN_WIDTH, WIDTH_OF_A_MILLION)
}
