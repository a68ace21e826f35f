//! A random cluster as `stuckvm schedule` is given one.

use super::tape::{Tape, tape};
use super::{nodes, pods, storage};
use proptest::prelude::*;
use serde_json::Value;
use stuckvm_sim::{NodeByNode, Object, OneShotOptions, Placement, schedule};

/// Manifests by what they are.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// Classes, claims and volumes.
    pub(crate) others: Vec<Value>,
    /// Nodes.
    pub(crate) nodes: Vec<Value>,
    /// Pods that are on a node.
    pub(crate) running: Vec<Value>,
    /// Pods that wait.
    pub(crate) waiting: Vec<Value>,
}

/// Random worlds.
pub(crate) fn world() -> impl Strategy<Value = World> {
    tape(1200).prop_map(|mut tape| World::of(&mut tape))
}

impl World {
    fn of(tape: &mut Tape) -> Self {
        let mut others = storage::classes(tape);
        let nodes: Vec<Value> = match tape.below(40) {
            39 => Vec::new(),
            number => nodes::nodes(tape, 2 + number % 6),
        };
        let (running, waiting) = (tape.below(8), 1 + tape.below(5));
        let running = if nodes.is_empty() { 0 } else { running };
        let running = (0..running).map(|index| pods::running(tape, index, nodes.len())).collect();
        let waiting = (0..waiting).map(|index| pods::waiting(tape, index)).collect();
        others.extend(storage::claims(tape));
        Self { others, nodes, running, waiting }
    }

    /// The objects, read from their manifests.
    pub(crate) fn objects(&self) -> Vec<Object> {
        let mut objects = self.surroundings();
        objects.extend(self.waiting.iter().map(object));
        objects
    }

    /// All but the pods that wait.
    pub(crate) fn surroundings(&self) -> Vec<Object> {
        [&self.others, &self.nodes, &self.running].into_iter().flatten().map(object).collect()
    }

    /// What becomes of the first pod that waits, were it the only one.
    pub(crate) fn first(&self) -> Placement {
        let mut objects = self.surroundings();
        objects.push(object(&self.waiting[0]));
        placements(&objects).remove(0)
    }
}

/// What becomes of the pods that wait.
pub(crate) fn placements(objects: &[Object]) -> Vec<Placement> {
    schedule(objects, OneShotOptions { node_by_node: true, ..OneShotOptions::default() })
}

/// What a placement says of each node.
pub(crate) fn node_by_node(placement: &Placement) -> NodeByNode {
    placement.node_by_node.clone().unwrap_or_default()
}

/// Reads a manifest of a kind that is modelled.
pub(crate) fn object(manifest: &Value) -> Object {
    let read = Object::from_value(manifest).unwrap_or_else(|error| panic!("{error}: {manifest}"));
    read.expect("a kind that is modelled")
}
