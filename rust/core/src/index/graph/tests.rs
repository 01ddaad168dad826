use super::super::arrange::arrange;
use super::*;
use std::sync::atomic::AtomicBool;
use std::thread;

fn plan(threads: usize, stop: &AtomicBool) -> Plan<'_> {
    Plan {
        dim: 8,
        threads,
        stop,
    }
}

/// Build a graph of the rows and save it as `USearch` does.
fn saved(rows: &[&[f16]], threads: usize, path: &Path) -> Graph {
    let built = Graph::build(&plan(threads, &AtomicBool::new(false)), rows).expect("built");
    built.save(path).expect("saved");
    built
}

fn circle() -> Vec<Vec<f16>> {
    let row = |node: u16| {
        let angle = f32::from(node) * 0.02;
        let mut row = vec![f16::ZERO; 8];
        row[0] = f16::from_f32(angle.cos());
        row[1] = f16::from_f32(angle.sin());
        row
    };
    (0..300).map(row).collect()
}

#[test]
fn an_arranged_graph_answers_as_the_built_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (raw, path) = (folder.path().join("saved"), folder.path().join("graph"));
    let circle = circle();
    let rows: Vec<&[f16]> = circle.iter().map(Vec::as_slice).collect();
    let built = saved(&rows, 2, &raw);
    arrange(&raw, &path, &rows).expect("arranged");
    let viewed = Graph::view(&path, 8, 300).expect("viewed");
    for row in &rows {
        assert_eq!(
            viewed.search(row, 20).expect("found"),
            built.search(row, 20).expect("found")
        );
    }
    assert_eq!(viewed.rows(), cast_slice::<f16, u8>(&rows.concat()));
    assert!(Graph::view(&path, 16, 300).is_err() && Graph::view(&path, 8, 299).is_err());
}

#[test]
fn a_saved_graph_of_another_form_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (raw, path) = (folder.path().join("saved"), folder.path().join("graph"));
    let circle = circle();
    let rows: Vec<&[f16]> = circle.iter().map(Vec::as_slice).collect();
    saved(&rows, 1, &raw);
    let swapped: Vec<&[f16]> = rows.iter().rev().copied().collect();
    assert!(arrange(&raw, &path, &swapped).is_err());
    assert!(arrange(&raw, &path, &rows[1..]).is_err());
    let mut bytes = std::fs::read(&raw).expect("read");
    bytes.extend([0; 4]);
    std::fs::write(&raw, bytes).expect("written");
    assert!(arrange(&raw, &path, &rows).is_err());
}

#[test]
fn a_graph_that_leads_out_of_its_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (raw, path) = (folder.path().join("saved"), folder.path().join("graph"));
    let circle = circle();
    let rows: Vec<&[f16]> = circle.iter().map(Vec::as_slice).collect();
    saved(&rows, 1, &raw);
    arrange(&raw, &path, &rows).expect("arranged");
    let bytes = std::fs::read(&path).expect("read");
    let counts = ROWS_AT + 300 * 16 + 64;
    // top level, entry, and of the first node, behind all levels: key, level, number of links, first link
    for at in [24, 33, 640, 648, 651, 656] {
        let mut damaged = bytes.clone();
        damaged[counts + at] = 0x77;
        std::fs::write(&path, damaged).expect("written");
        assert!(Graph::view(&path, 8, 300).is_err(), "byte {at}");
    }
}

#[test]
fn more_threads_than_contexts_may_search() {
    let (stop, circle) = (AtomicBool::new(false), circle());
    let rows: Vec<&[f16]> = circle.iter().map(Vec::as_slice).collect();
    let graph = Graph::build(&plan(1, &stop), &rows).expect("built");
    let ask = || (0..50).all(|_| graph.search(rows[9], 5).is_ok_and(|found| found.len() == 5));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2 * CONTEXTS).map(|_| scope.spawn(ask)).collect();
        assert!(
            threads
                .into_iter()
                .all(|thread| thread.join().is_ok_and(|answered| answered))
        );
    });
}

#[test]
fn a_stopped_build_is_an_error() {
    let (stop, circle) = (AtomicBool::new(true), circle());
    let rows: Vec<&[f16]> = circle.iter().map(Vec::as_slice).collect();
    assert!(Graph::build(&plan(2, &stop), &rows).is_err());
}
