//! The embedded engine against Prometheus on drawn samples and drawn expressions: the same elements with the same values at every tick,
//! and no answer where Prometheus has none. Where `topk` would choose among equals the engine says so, and nothing is compared.

use super::has_prometheus;
use std::collections::BTreeSet;
use stuckvm_scenarios::prometheus::embedded;
use stuckvm_scenarios::prometheus::query::{Grid, Matrix};
use stuckvm_scenarios::prometheus::samples::{Labels, Millis, NAME, Point, Samples};
use stuckvm_scenarios::prometheus::server::{Engine, Lookback, Server};
use stuckvm_sim::random::Random;

const START: Millis = 1_664_795_467_000;
const GRID: Grid = Grid { first: START, step: 37_000, last: START + 740_000 };
/// What expressions of each kind there are.
const EACH: usize = 40;

struct Draw(Random);

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        let last = u64::try_from(count - 1).expect("small");
        usize::try_from(self.0.uniform("test", 0..=last)).expect("small")
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// Series of three metrics that share some labels, each a sample every 30 s with gaps, ends and beginnings.
    fn samples(&mut self) -> Samples {
        let mut samples = Samples::default();
        let pairs = ["", "1", "2"].map(|x| ["1", "2"].map(|y| (x, y)));
        for name in ["a", "b", "c"] {
            for (x, y) in pairs.as_flattened() {
                self.series(&mut samples, [(NAME, name), ("x", x), ("y", y)]);
            }
        }
        samples
    }

    /// Every fourth is not there.
    fn series(&mut self, samples: &mut Samples, labels: [(&str, &str); 3]) {
        if self.below(4) == 0 {
            return;
        }
        let named = labels.into_iter().filter(|(_, value)| !value.is_empty());
        let mut labels: Labels = named.map(|(label, value)| (label.to_owned(), value.to_owned())).collect();
        labels.insert("z".to_owned(), self.of(&["1", "2", "3"]).to_owned());
        let mut value = self.below(5);
        for at in (START..START + 700_000).step_by(30_000) {
            match self.below(12) {
                0 => samples.add(&labels, Point::stale(at)),
                1 => {}
                2 => value = self.below(9),
                _ => {
                    samples.add(&labels, Point { at, value: f64::from(u32::try_from(value).expect("small")) })
                }
            }
        }
    }

    fn labels(&mut self) -> &'static str {
        self.of(&["", "x", "y", "x, y", "z", "x, y, z", "nothing"])
    }

    fn selector(&mut self) -> String {
        let matchers = self.of(&["", "", r#"{x="1"}"#, r#"{x!="1"}"#, r#"{y=~"1|3"}"#, r#"{x="",y="2"}"#]);
        format!("{}{matchers}", self.of(&["a", "b", "c"]))
    }

    /// A vector: a selector, or something made of one.
    fn vector(&mut self) -> String {
        let (inner, labels) = (self.selector(), self.labels());
        match self.below(6) {
            0 => format!("{} by ({labels}) ({inner})", self.of(&["sum", "avg", "min", "max", "count"])),
            1 => format!(
                "({inner} {} {})",
                self.of(&["==", "!=", ">", ">=", "<", "<=", "+", "*"]),
                self.below(5)
            ),
            2 => format!("-{inner}"),
            _ => inner,
        }
    }

    fn operator(&mut self) -> &'static str {
        self.of(&["+", "-", "*", "/", "%", "==", "!=", ">", ">=", "<", "<=", "== bool", "> bool"])
    }

    fn matching(&mut self) -> String {
        format!("{} ({})", self.of(&["on", "ignoring"]), self.labels())
    }
}

/// An expression of a kind.
type Kind = (&'static str, fn(&mut Draw) -> String);

const KINDS: [Kind; 8] = [
    ("aggregations", |draw| {
        let by = draw.of(&["sum", "avg", "min", "max", "count", "group"]);
        let grouping = format!("{} ({})", draw.of(&["by", "without"]), draw.labels());
        format!("{by} {grouping} ({})", draw.vector())
    }),
    ("absent", |draw| {
        let matchers = [
            r#"a{x="9"}"#,
            r#"a{x="1",y="2"}"#,
            r#"none{x="1",x!="2",y="3"}"#,
            r#"none{x="1",x="2",z=""}"#,
            r#"none{x=~"1",y="2"}"#,
            r#"{__name__="none",x="1"}"#,
        ];
        let of =
            if draw.below(2) == 0 { draw.of(&matchers).to_owned() } else { format!("{} > 3", draw.vector()) };
        format!("absent({of})")
    }),
    ("groups", |draw| {
        let (left, right) = (draw.vector(), draw.vector());
        // A label in `on` and in the group is no PromQL.
        let matching = format!("{} ({})", draw.of(&["on", "ignoring"]), draw.of(&["", "x", "y", "x, y"]));
        let side = draw.of(&["group_left", "group_right"]);
        let included = draw.of(&[" ()", " (z)", " (w)", " (w, z)"]);
        format!("{left} {} {matching} {side}{included} {right}", draw.operator())
    }),
    ("groups of one", |draw| {
        // One side has one element for each `y`, so that most evaluations have a result.
        let one = format!("{} by (y) ({})", draw.of(&["sum", "max"]), draw.selector());
        let operator = draw.operator();
        let many = draw.selector();
        match draw.below(3) {
            0 => format!("{many} {operator} on (y) group_left {one}"),
            1 => format!("{one} {operator} on (y) group_right (x) {many}"),
            _ => format!("{many} {operator} ignoring (x, z) group_left (z) {one}"),
        }
    }),
    ("pairs", |draw| {
        let (left, right) = (draw.vector(), draw.vector());
        format!("{left} {} {} {right}", draw.operator(), draw.matching())
    }),
    ("sets", |draw| {
        let (left, right) = (draw.vector(), draw.vector());
        let matching = if draw.below(3) == 0 { String::new() } else { draw.matching() };
        format!("{left} {} {matching} {right}", draw.of(&["and", "or", "unless"]))
    }),
    ("ranks", |draw| {
        let grouping = format!("{} ({})", draw.of(&["by", "without"]), draw.labels());
        let (rank, vector) = (draw.of(&["topk", "bottomk"]), draw.vector());
        format!("{rank} {grouping} ({}, {vector})", draw.of(&["0", "1", "2", "3.7", "9", "-1", "inf"]))
    }),
    ("labels", |draw| {
        let (to, from) = (draw.of(&["x", "y", "w"]), draw.of(&["x", "y", "z", "w"]));
        let (text, pattern) = [
            ("$1", "(.+)"),
            ("$1", "(.*)"),
            ("${1}", "(.+)"),
            ("new", "1|2"),
            ("", ".+"),
            ("q", ".*"),
            ("", "2"),
        ][draw.below(7)];
        format!(r#"label_replace({}, "{to}", "{text}", "{from}", "{pattern}")"#, draw.vector())
    }),
];

fn assert_same(expression: &str, server: &Matrix, embedded: &Matrix) {
    assert_eq!(server.failed, embedded.failed, "{expression}: ticks without a result");
    let labels = |matrix: &Matrix| matrix.series.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(labels(server), labels(embedded), "{expression}");
    for (labels, points) in &server.series {
        let others = &embedded.series[labels];
        assert_eq!(points.len(), others.len(), "{expression}: {labels:?}");
        for (point, other) in points.iter().zip(others) {
            // Averages and quotients may differ in the last bits.
            let near = (point.value - other.value).abs() <= 1e-12 * point.value.abs();
            let same = near || point.value == other.value || (point.value.is_nan() && other.value.is_nan());
            assert!(point.at == other.at && same, "{expression}: {labels:?}: {point:?}, {other:?}");
        }
    }
}

#[test]
fn drawn_expressions_come_to_the_same_on_drawn_samples() {
    if !has_prometheus() {
        return;
    }
    let mut seen = [(0, 0); KINDS.len()];
    for seed in 0..3 {
        let mut draw = Draw(Random::new(seed));
        let samples = draw.samples();
        let server =
            Server::start(&Engine { lookback: Lookback::Open, ..Engine::default() }).expect("it starts");
        server.write(samples.iter()).expect("it takes samples");
        for ((_, expression), (compared, elements)) in KINDS.iter().zip(&mut seen) {
            for _ in 0..EACH {
                let expression = expression(&mut draw);
                let Ok(embedded) = embedded::range(&samples, &expression, GRID, 0) else {
                    let refused = embedded::check(&expression);
                    assert!(refused.is_ok(), "{expression}: {refused:?}");
                    continue;
                };
                let there =
                    server.range(&expression, GRID).unwrap_or_else(|error| panic!("{expression}: {error}"));
                assert_same(&expression, &there, &embedded);
                *compared += 1;
                *elements += there.series.len();
            }
        }
    }
    for ((kind, _), (compared, elements)) in KINDS.iter().zip(seen) {
        assert!(compared >= EACH && elements >= 30, "{kind}: {compared} compared, {elements} elements");
    }
}
