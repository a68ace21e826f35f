//! What comes out of manifests, and the full texts of the errors.

use serde_json::{Value, json};

use super::*;

fn values(text: &str) -> Vec<Value> {
    let documents = parse("vm.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    documents.into_iter().map(|document| document.value).collect()
}

fn message(bytes: &[u8]) -> String {
    let message = parse("vm.yaml", bytes).expect_err("an error").to_string();
    assert!(message.lines().all(|line| line.chars().count() <= 80), "{message}");
    message
}

#[test]
fn words_are_read_as_kubernetes_reads_them() {
    let table = [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("'yes'", json!("yes")),
        ("~", json!(null)),
        ("0644", json!(420)),
        ("0o17", json!(15)),
        ("-0x10", json!(-16)),
        ("1_000", json!(1000)),
        ("08", json!(8)),
        ("1e3", json!(1000)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("1e999", json!("1e999")),
        ("500m", json!("500m")),
        ("2022-10-03T11:11:07Z", json!("2022-10-03T11:11:07Z")),
        ("!!str 5", json!("5")),
        ("!!float 5", json!(5)),
        ("-", json!([null])),
        ("\"\\u00e9\\t\"", json!("é\t")),
    ];
    for (text, value) in table {
        assert_eq!(values(&format!("a: \n  {text}")), [json!({ "a": value })], "{text}");
    }
    assert_eq!(values("on: 1\n2: b\n"), [json!({"true": 1, "2": "b"})]);
}

#[test]
fn documents_json_anchors_and_merges() {
    assert_eq!(
        values("---\na: 1\n---\n---\n{\"b\": [1,\n\t2]}\n...\n"),
        [json!({"a": 1}), json!({"b": [1, 2]})]
    );
    assert_eq!(
        values("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\n"),
        [json!({
            "a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}
        })]
    );
    assert_eq!(values("\u{feff}a: é"), [json!({"a": "é"})]);
    assert_eq!(
        values("{\"a\": 1}\n{\"b\": 2} {\"c\": 3}"),
        [json!({"a": 1}), json!({"b": 2}), json!({"c": 3})]
    );
}

#[test]
fn the_lines_of_a_stream_keep_their_places() {
    let text = "{\"a\": 1}\n  {\"a\": 2}{\"a\":\n3}";
    let documents = parse("vm.yaml", text.as_bytes()).expect("valid");
    let places = documents.iter().map(|document| {
        let value = document.positions.find("a").expect("the field is there").value;
        (document.line, value.line, value.column)
    });
    assert_eq!(places.collect::<Vec<_>>(), [(1, 1, 7), (2, 2, 9), (2, 3, 1)]);
}

#[test]
fn every_field_has_its_place() {
    let text = "\
# comment
---
metadata:
  labels: {kubevirt.io/domain: x, a.b: y, a: {b: z}}
spec:
  volumes:
  - name: é1
  - {name: two}
";
    let documents = parse("vm.yaml", text.as_bytes()).expect("valid");
    assert_eq!(documents[0].line, 3);
    let table = [
        ("", None, (3, 1)),
        ("metadata.labels", Some((4, 3)), (4, 11)),
        ("metadata.labels[kubevirt.io/domain]", Some((4, 12)), (4, 32)),
        ("metadata.labels.kubevirt.io/domain", Some((4, 12)), (4, 32)),
        ("metadata.labels.a.b", Some((4, 35)), (4, 40)),
        ("spec.volumes[0]", None, (7, 5)),
        ("spec.volumes[0].name", Some((7, 5)), (7, 11)),
        ("spec.volumes[1].name", Some((8, 6)), (8, 12)),
    ];
    let place = |(line, column)| Place { line, column };
    for (path, key, value) in table {
        let position = documents[0].positions.find(path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!((position.key, position.value), (key.map(place), place(value)), "{path}");
    }
    assert_eq!(documents[0].positions.find("spec.volumes[2].name"), None);
    let nearest = documents[0].positions.nearest("spec.volumes[2].name").expect("the list");
    assert_eq!(nearest.value, place((7, 5)));
    let error = documents[0].error("spec.volumes[0].size", "a size", "nothing", "add it");
    assert_eq!((error.place, error.field.as_str()), (place((7, 5)), "spec.volumes[0].size"));
}

/// A text, and the message in full.
const ERRORS: [(&[u8], &str); 9] = [
    (
        b"",
        "\
vm.yaml, line 1, column 1:
  expected  a YAML or JSON document
  found     nothing
  try       check that this is the right file",
    ),
    (
        b"a: b\nc: \xff",
        "\
vm.yaml, line 2, column 4:
  expected  UTF-8 text
  found     byte 0xFF
  try       save the file as UTF-8",
    ),
    (
        b"a: b\nc: x\0y",
        "\
vm.yaml, line 2, column 5:
  expected  text
  found     the control character 0x00
  try       remove it, or escape it in a quoted text",
    ),
    (
        b"spec:\n  a: 1\n  b: 2\n  a: 3\n",
        "\
vm.yaml, line 4, column 3:
  field     spec
  expected  every key once
  found     a again; it stands in line 2, column 3 too
  try       leave one of the two away",
    ),
    (
        b"spec:\n\ta: 1\n",
        "\
vm.yaml, line 2, column 2:
  expected  YAML or JSON
  found     tabs disallowed within this context (block indentation): a: 1
  try       indent with spaces: YAML has no tabs there",
    ),
    (
        b"a: [1, 2\nb: 3\n",
        "\
vm.yaml, line 2, column 2:
  expected  YAML or JSON
  found     illegal placement of ':' indicator: b: 3
  try       check indentation, quotes and brackets here and in the lines above",
    ),
    (
        b"a: .inf\n",
        "\
vm.yaml, line 1, column 4:
  field     a
  expected  a value that JSON has too
  found     .inf
  try       leave the tag away, or write the value in quotes",
    ),
    (
        b"a: &x [*x]\n",
        "\
vm.yaml, line 1, column 8:
  field     a[0]
  expected  an alias of a finished value
  found     an alias inside its own value
  try       write it out",
    ),
    (
        b"a: {[1]: 2}\n",
        "\
vm.yaml, line 1, column 5:
  field     a
  expected  a key
  found     a list or mapping
  try       write the key as a word or a text",
    ),
];

#[test]
fn errors_say_where_what_and_what_to_try() {
    for (bytes, text) in ERRORS {
        assert_eq!(message(bytes), text);
    }
}

#[test]
fn hostile_texts_end_in_an_error() {
    let deep = "vm.yaml, line 1, column ";
    for open in ["[", "{a: ", "- "] {
        let message = message(open.repeat(10_000).as_bytes());
        assert!(
            message.starts_with(deep) && message.contains("nested at most 128 deep"),
            "{open}: {message}"
        );
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "));
    }
    assert!(message(bomb.as_bytes()).contains("aliases for at most 100000 values"));
}

#[test]
fn long_lines_are_cut_and_wrapped() {
    let message = message(format!("a: \"{}\nb: [", "word ".repeat(100)).as_bytes());
    assert!(message.len() < 600, "{message}");
    assert_eq!(quote(&"x".repeat(300)).chars().count(), MAX_QUOTE);
}
