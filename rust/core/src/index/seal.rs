//! Building a segment out of older segments and blocks of the tail, and writing its files.

use std::collections::{BTreeMap, HashMap, hash_map};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use half::f16;

use super::Options;
use super::arrange::arrange;
use super::folder::{segment_path, write_durably};
use super::graph::Graph;
use super::manifest::{FileMark, SegmentMark};
use super::plan::Plan;
use super::segment::{GRAPH, ROWS, TABLE};
use super::table::Draft;
use super::tail::Entry;
use crate::Result;
use crate::store::{Place, Source};

/// How it is built.
pub(crate) struct Work<'a> {
    pub(crate) dim: usize,
    /// Distinct embeddings from which on a graph is built.
    pub(crate) graph_from: usize,
    pub(crate) threads: usize,
    pub(crate) stop: &'a AtomicBool,
}

impl Source<Options> {
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
    pub(crate) fn build(&self, place: &Place<'_>, work: &Work<'_>) -> Result<Option<SegmentMark>> {
        let entries = self.entries();
        if entries.is_empty() {
            return Ok(None);
        }
        let (mut draft, distinct) = draft(&entries, work.dim);
        drop(entries);
        let path = |kind| segment_path(place.folder, place.id, kind);
        let mut files = BTreeMap::new();
        if distinct.len() >= work.graph_from {
            let graph = write_graph(&path(GRAPH), &mut draft, &distinct, work)?;
            files.insert(GRAPH.to_owned(), graph);
        } else {
            let rows = write_durably(&path(ROWS), |out| {
                let mut rows = distinct.iter();
                rows.try_for_each(|row| out.write_all(bytemuck::cast_slice(row)))
            })?;
            files.insert(ROWS.to_owned(), rows);
        }
        let table = write_durably(&path(TABLE), |out| draft.write(out))?;
        files.insert(TABLE.to_owned(), table);
        Ok(Some(SegmentMark {
            id: place.id,
            entries: draft.keys.len() as u64,
            files,
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
    let keys = entries.iter().map(|entry| entry.key).collect();
    (
        Draft {
            dim,
            node_count: distinct.len(),
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
        threads: work.threads,
        stop: work.stop,
    };
    let graph = Graph::build(&plan, distinct)?;
    draft.unreachable = graph.unreachable(&plan, distinct)?;
    let saved = path.with_added_extension("saved.tmp");
    graph.save(&saved)?;
    drop(graph);
    arrange(&saved, path, distinct)
}
