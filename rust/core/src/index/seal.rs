//! Building a segment out of older segments and blocks of the tail, and writing its files.

use std::collections::HashMap;
use std::collections::hash_map;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use half::f16;
use half::slice::HalfFloatSliceExt;
use roaring::RoaringTreemap;

use super::folder::{SegmentFiles, settle, write_durably};
use super::graph::{Graph, Plan};
use super::manifest::{FileMark, SegmentMark};
use super::quantize::Quantizer;
use super::segment::Segment;
use super::table::Draft;
use super::tail::{Block, Entry};
use crate::Result;

/// What becomes one segment.
pub(crate) struct Source {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) removed: Arc<RoaringTreemap>,
}

/// How it is built.
pub(crate) struct Work<'a> {
    pub(crate) dim: usize,
    /// Distinct embeddings from which on a graph is built.
    pub(crate) graph_from: usize,
    pub(crate) threads: usize,
    pub(crate) stop: &'a AtomicBool,
}

impl Source {
    /// Entries that are not removed, by artist.
    fn entries(&self) -> Vec<Entry<'_>> {
        let sealed = self.segments.iter().flat_map(|segment| segment.entries());
        let newer = self.blocks.iter().flat_map(|block| block.entries());
        let mut entries: Vec<_> = sealed
            .chain(newer)
            .filter(|entry| !self.removed.contains(entry.key))
            .collect();
        entries.sort_by_key(|entry| entry.artist);
        entries
    }

    /// Write segment `id` and return its mark, or None when nothing is left to write.
    ///
    /// Files appear under their names only when they are complete and durable.
    pub(crate) fn build(
        &self,
        folder: &Path,
        id: u64,
        work: &Work<'_>,
    ) -> Result<Option<SegmentMark>> {
        let entries = self.entries();
        if entries.is_empty() {
            return Ok(None);
        }
        let (mut draft, distinct) = draft(&entries, work.dim);
        drop(entries);
        let files = SegmentFiles::new(folder, id);
        let rows = write_durably(&files.rows, |out| {
            distinct
                .iter()
                .try_for_each(|row| out.write_all(bytemuck::cast_slice(row)))
        })?;
        let graph = if distinct.len() >= work.graph_from {
            Some(write_graph(&files.graph, &mut draft, &distinct, work)?)
        } else {
            None
        };
        let table = write_durably(&files.table, |out| draft.write(out))?;
        let (entries, nodes) = (draft.keys.len() as u64, distinct.len() as u64);
        Ok(Some(SegmentMark {
            id,
            entries,
            nodes,
            rows,
            table,
            graph,
        }))
    }
}

/// Describe entries that lie by artist, and list their distinct rows: equal rows are one node.
fn draft<'a>(entries: &[Entry<'a>], dim: usize) -> (Draft, Vec<&'a [f16]>) {
    let mut distinct: Vec<&[f16]> = Vec::new();
    let mut node_of: HashMap<&[u8], u32> = HashMap::with_capacity(entries.len());
    let mut nodes = Vec::with_capacity(entries.len());
    let (mut artists, mut artist_starts) = (Vec::new(), Vec::new());
    for (position, entry) in entries.iter().enumerate() {
        if artists.last() != Some(&entry.artist) {
            artists.push(entry.artist);
            artist_starts.push(position as u32);
        }
        nodes.push(match node_of.entry(bytemuck::cast_slice(entry.row)) {
            hash_map::Entry::Occupied(slot) => *slot.get(),
            hash_map::Entry::Vacant(slot) => {
                distinct.push(entry.row);
                *slot.insert(distinct.len() as u32 - 1)
            }
        });
    }
    artist_starts.push(entries.len() as u32);
    let quantizer = Quantizer::fit(distinct.len(), dim, |node| distinct[node]);
    let keys = entries.iter().map(|entry| entry.key).collect();
    (
        Draft {
            dim,
            node_count: distinct.len(),
            quantizer,
            keys,
            nodes,
            artists,
            artist_starts,
            unreachable: Vec::new(),
        },
        distinct,
    )
}

/// Build and write the graph, and note in the draft which nodes it does not find.
fn write_graph(
    path: &Path,
    draft: &mut Draft,
    distinct: &[&[f16]],
    work: &Work<'_>,
) -> Result<FileMark> {
    let plan = Plan {
        dim: work.dim,
        nodes: distinct.len(),
        threads: work.threads,
        stop: work.stop,
    };
    let quantizer = draft.quantizer;
    let row = |node: usize, out: &mut [i8]| quantizer.to_i8(&distinct[node].to_f32_vec(), out);
    let graph = Graph::build(&plan, &row)?;
    draft.unreachable = graph.unreachable(&plan, &row)?;
    graph.save(&path.with_added_extension("tmp"))?;
    settle(path)
}
