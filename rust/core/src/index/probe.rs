//! Searching one segment: through its graph where that is enough, by exact comparison where it is not.

use std::ops::Range;

use half::f16;
use roaring::RoaringTreemap;

use super::Options;
use super::filter::{Artists, covers, rows_in};
use super::graph::Graph;
use super::product::dot;
use super::quantize::to_half;
use super::ranking::{Hit, Ranking};
use super::segment::Segment;
use super::table::Table;
use crate::Result;
use crate::store::Snapshot;

/// Candidates that a graph search keeps at least, and at most.
const WIDTH: usize = 256;
const MAX_WIDTH: usize = 2048;
/// Nodes of a graph search that are compared exactly at least.
const COMPARED: usize = 40;

/// One row of a search in the forms that different parts need.
pub(crate) struct Query {
    full: Vec<f32>,
    half: Vec<f16>,
}

impl Query {
    pub(crate) fn new(row: &[f32]) -> Self {
        Self {
            full: row.to_vec(),
            half: to_half(row),
        }
    }

    pub(crate) fn half(&self) -> &[f16] {
        &self.half
    }
}

impl Snapshot<Options> {
    /// The `k` best hits, best first.
    pub(crate) fn search(
        &self,
        row: &[f32],
        k: usize,
        filter: Option<&Artists>,
    ) -> Result<Vec<Hit>> {
        let query = Query::new(row);
        let mut ranking = Ranking::new(k);
        for segment in &self.segments {
            segment.search(&query, filter, &self.removed, &mut ranking)?;
        }
        for block in &self.blocks {
            block.search(query.half(), filter, &self.removed, &mut ranking);
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

    fn entries(&self) -> impl Iterator<Item = usize> {
        self.ranges
            .iter()
            .flat_map(|range| range.start as usize..range.end as usize)
    }
}

impl Segment {
    /// Offer the entries nearest to the query that are not `removed` and pass the filter.
    pub(crate) fn search(
        &self,
        query: &Query,
        filter: Option<&Artists>,
        removed: &RoaringTreemap,
        ranking: &mut Ranking,
    ) -> Result<()> {
        let allowed = Allowed::new(self.table(), filter, removed);
        let few = allowed.filtered && rows_in(&allowed.ranges) <= self.few_rows();
        if let Some(graph) = self.graph().filter(|_| !few)
            && let Some(nodes) = self.near(graph, query, &allowed, ranking.k())?
        {
            for node in nodes {
                let score = dot(query.half(), self.row(node));
                allowed
                    .keys(node)
                    .for_each(|key| ranking.offer(Hit { key, score }));
            }
            return Ok(());
        }
        let (keys, nodes) = (self.table().keys(), self.table().nodes());
        for entry in allowed.entries() {
            let score = dot(query.half(), self.row(nodes[entry]));
            if ranking.takes(score) && !removed.contains(keys[entry]) {
                ranking.offer(Hit {
                    key: keys[entry],
                    score,
                });
            }
        }
        Ok(())
    }

    /// The nodes worth an exact comparison, or None when too few of those near the query are allowed: every allowed
    /// row has to be compared then, as it is when neighbours of a far query are asked for.
    fn near(
        &self,
        graph: &Graph,
        query: &Query,
        allowed: &Allowed<'_>,
        k: usize,
    ) -> Result<Option<Vec<u32>>> {
        let mut row = vec![0; query.full.len()];
        self.table().quantizer().to_i8(&query.full, &mut row);
        let wanted = COMPARED.max(2 * k + 10);
        // as many candidates as hold twice the wanted number, if the filter does not depend on the query
        let share = self
            .table()
            .keys()
            .len()
            .div_ceil(rows_in(&allowed.ranges).max(1));
        let mut width = WIDTH.max(2 * wanted * share).min(MAX_WIDTH.max(2 * wanted));
        loop {
            let found = graph.search(&row, width)?;
            let everything = found.len() < width;
            let passing = found
                .into_iter()
                .filter(|&node| allowed.keys(node).next().is_some());
            let mut nodes: Vec<u32> = passing.take(wanted).collect();
            if everything || nodes.len() == wanted {
                nodes.extend_from_slice(self.table().unreachable());
                nodes.sort_unstable();
                nodes.dedup();
                return Ok(Some(nodes));
            }
            if allowed.filtered || width >= MAX_WIDTH {
                return Ok(None);
            }
            width *= 8;
        }
    }
}
