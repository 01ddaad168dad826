//! The work of building a graph, shared among threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rustix::process::setpriority_process;

use crate::{Error, Result};

/// Niceness of threads that build.
const BUILD_NICENESS: i32 = 15;

/// How a graph is built.
pub(crate) struct Plan<'a> {
    pub(crate) dim: usize,
    pub(crate) threads: usize,
    /// Ends the build early with an error when set.
    pub(crate) stop: &'a AtomicBool,
}

impl Plan<'_> {
    /// Do the work for every number below `nodes`, on all threads at low priority, until one fails.
    pub(crate) fn for_each(
        &self,
        nodes: usize,
        work: &(impl Fn(usize) -> Result<()> + Sync),
    ) -> Result<()> {
        let next = AtomicUsize::new(0);
        let worker = || {
            // without the right to lower the priority the build is merely less polite
            let _ = setpriority_process(None, BUILD_NICENESS);
            loop {
                let position = next.fetch_add(1, Ordering::Relaxed);
                if position >= nodes {
                    return Ok(());
                }
                if self.stop.load(Ordering::Relaxed) {
                    return Err(Error::Store(
                        "the index was closed while it built a segment".to_owned(),
                    ));
                }
                work(position).inspect_err(|_| next.store(nodes, Ordering::Relaxed))?;
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads.max(1))
                .map(|_| scope.spawn(worker))
                .collect();
            let died = || {
                Err(Error::Store(
                    "a thread that built a segment panicked".to_owned(),
                ))
            };
            let mut ends = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| died()));
            ends.try_for_each(|end| end)
        })
    }
}

/// A step that visits every number below `nodes` once before it returns to the first: near the golden section.
pub(crate) fn scattering_stride(nodes: usize) -> usize {
    let shares_factor = |stride: usize| {
        let (mut a, mut b) = (stride, nodes);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a > 1
    };
    (nodes * 618 / 1000..nodes)
        .find(|&stride| stride > 0 && !shares_factor(stride))
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scattering_visits_every_node_once(nodes in 1usize..3000) {
            let stride = scattering_stride(nodes);
            let mut seen = vec![false; nodes];
            (0..nodes).for_each(|position| seen[(position * stride) % nodes] = true);
            prop_assert!(seen.into_iter().all(|visited| visited));
        }
    }
}
