//! Reports for services: that each can be red, is what its readers take, and is written whole or not at all. As snapshots:
//! `INSTA_UPDATE=always cargo test -p stuckvm-scenarios --test ci_reports`.

use insta::assert_snapshot;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use stuckvm_scenarios::report::{Entry, Place, ResultKind, Summary, junit, markdown};

fn stuckvm(arguments: &[&str]) -> Output {
    // From where the files lie, so that paths are the same everywhere.
    Command::new(env!("CARGO_BIN_EXE_stuckvm"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("stuckvm starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// What a run of these files with a report gives: exit code, standard output, the report without digests.
fn report(flag: &str, files: &[&str]) -> (Option<i32>, String) {
    let file = folder(&format!("report{flag}-{}", files.len())).join("report");
    let path = file.display().to_string();
    let mut arguments = vec!["run", flag, &path];
    files.iter().for_each(|file| arguments.extend(["-f", file]));
    let output = stuckvm(&arguments);
    let written = std::fs::read_to_string(&file).expect("it was written");
    assert_eq!(
        std::fs::read_dir(file.parent().expect("it has one")).expect("it reads").count(),
        1,
        "nothing else"
    );
    (output.status.code(), without_digests(&written))
}

/// A digest changes with every controller.
fn without_digests(text: &str) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_hexdigit()) {
        let (before, run) = rest.split_at(at);
        let length = run.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(run.len());
        words += before;
        words += if length == 16 { "[digest]" } else { &run[..length] };
        rest = &run[length..];
    }
    words + rest
}

const GREEN: &str = "catalog/pvc-not-found/stuck.yaml";
const UNMET: &str = "must-fail/wrong-alert-time.yaml";
const ERROR: &str = "must-fail/step-error.yaml";

#[test]
fn junit_of_a_run_that_went_wrong() {
    let (code, xml) = report("--junit", &[GREEN, UNMET, ERROR]);
    assert_eq!(code, Some(1));
    assert_snapshot!(xml);
}

#[test]
fn markdown_of_a_run_that_went_wrong() {
    let (code, page) = report("--markdown", &[GREEN, UNMET, ERROR]);
    assert_eq!(code, Some(1));
    assert_snapshot!(page);
}

#[test]
fn reports_of_a_run_that_went_well_are_green() {
    let (code, xml) = report("--junit", &[GREEN]);
    assert_eq!(code, Some(0));
    assert!(xml.contains(r#"tests="1" failures="0" errors="0""#) && !xml.contains("<failure"), "{xml}");
    let (code, page) = report("--markdown", &[GREEN]);
    assert_eq!(code, Some(0));
    assert!(page.starts_with("# stuckvm: passed\n") && !page.contains("##"), "{page}");
    let output = stuckvm(&["run", "--github", "-f", GREEN]);
    assert!(!text(&output.stdout).contains("::error"), "{}", text(&output.stdout));
}

/// Every scenario that must not pass is red in every report.
#[test]
fn each_bad_verdict_is_red_in_every_report() {
    let folder = folder("red");
    let path = |name: &str| folder.join(name).display().to_string();
    let output = stuckvm(&[
        "run",
        "--catalog",
        "must-fail",
        "--github",
        "--junit",
        &path("a.xml"),
        "--markdown",
        &path("a.md"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("it was written");
    let count = |text: &str, what: &str| text.matches(what).count();
    let (xml, page, annotations) = (read("a.xml"), read("a.md"), text(&output.stdout));
    let cases = count(&xml, "<testcase ");
    assert!(cases > 20, "the folder has many");
    assert_eq!(count(&xml, "<failure ") + count(&xml, "<error "), cases);
    assert_eq!(count(&page, "\n### "), cases);
    assert_eq!(count(&annotations, "::error file=must-fail/"), cases);
}

#[test]
fn annotations_point_at_the_line_that_was_not_met() {
    let output = stuckvm(&["run", "--github", "-f", UNMET, "-f", ERROR, "-f", "must-fail/late-status.yaml"]);
    let told = text(&output.stdout);
    let annotations: Vec<&str> = told.lines().filter(|line| line.starts_with("::")).collect();
    assert_snapshot!(annotations.join("\n"));
    // The line says so itself.
    let file = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(UNMET)).expect("it reads");
    let pin = file.lines().position(|line| line.contains("fires: 5m0.150000001s")).expect("it is there") + 1;
    assert!(annotations[0].starts_with(&format!("::error file={UNMET},line={pin},")), "{}", annotations[0]);
}

/// A detector that never says anything.
const SILENT: &str = r#"
    read start; echo '{"type":"hello","protocol":1,"name":"silent","capabilities":[]}'; n=0
    while read input; do
      case $input in *'"type":"stop"'*) exit;; esac
      n=$((n + 1)); echo '{"type":"done","seq":'$n',"next":null}'
    done"#;

/// A case of the contract has a file too, which is told from the root of the checkout.
#[test]
fn annotations_of_the_contract_point_at_the_line_in_which_the_case_begins() {
    let output = stuckvm(&["check", "contract/R1", "contract/R3", "--github", "--exec", SILENT]);
    let told = text(&output.stdout);
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("::error ")).collect();
    assert!(errors.len() > 20, "a firing that is missing fails: {told}");
    for error in errors {
        let (place, title) = error["::error ".len()..].split_once(",title=").expect("it has a title");
        let (file, line) = place.split_once(",line=").expect("it has a line");
        let name = title.split('/').nth(2).expect("contract/RULE/CASE/STATUS");
        let file = file.strip_prefix("file=scenarios/").unwrap_or_else(|| panic!("from the root: {error}"));
        let text =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it is there");
        let line = text.lines().nth(line.parse::<usize>().expect("a number") - 1).expect("a line");
        let begun = line.trim().strip_prefix("- case: ").unwrap_or_else(|| panic!("{error}: {line}"));
        assert!(name.starts_with(begun), "{error}: {line}");
    }
}

/// `check` judges more cases, and reports them with the same flags.
#[test]
fn check_takes_the_same_flags() {
    let file = folder("check").join("report.xml").display().to_string();
    let output = stuckvm(&["check", "--github", "--explain", "--junit", &file, "-f", UNMET, "-f", GREEN]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.contains("\n::error file=must-fail/wrong-alert-time.yaml,line="), "{told}");
    assert!(told.contains("what led there"), "of the bad one: {told}");
    assert!(
        told.contains("\npass  pvc-not-found/stuck ") || told.starts_with("pass  "),
        "and not of the others: {told}"
    );
    let xml = std::fs::read_to_string(&file).expect("it was written");
    assert!(xml.contains(r#"tests="2" failures="1" errors="0""#), "{xml}");
    let output = stuckvm(&["check", "contract/R3/ends-at-the-deadline/Unknown", "--explain"]);
    let told = text(&output.stdout);
    assert_snapshot!("check_explains_a_stream", told.split("\n\n1 scenario").next().expect("it is there"));
}

#[test]
fn with_json_annotations_do_not_stand_among_the_lines() {
    let output = stuckvm(&["run", "--github", "--format", "json", "-f", UNMET]);
    assert!(text(&output.stdout).lines().all(|line| line.starts_with('{')));
    assert!(text(&output.stderr).contains("::error file="));
}

#[test]
fn a_report_that_cannot_be_written_stops_the_run_before_it_begins() {
    let folder = folder("bad-path");
    let old = folder.join("old.xml");
    std::fs::write(&old, "as it was").expect("it is written");
    let (missing, is_folder) = (folder.join("no/such/folder.xml"), folder.clone());
    for path in [&missing, &is_folder] {
        for flag in ["--junit", "--markdown"] {
            let other = if flag == "--junit" { "--markdown" } else { "--junit" };
            let arguments =
                ["run", "-f", GREEN, other, &old.display().to_string(), flag, &path.display().to_string()];
            let output = stuckvm(&arguments);
            let told = text(&output.stderr);
            assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{told}");
            assert!(told.contains(&path.display().to_string()) && told.contains("\n  try "), "{told}");
            assert_eq!(std::fs::read_to_string(&old).expect("it reads"), "as it was");
            assert_eq!(
                std::fs::read_dir(&folder).expect("it reads").count(),
                1,
                "nothing half-written is left"
            );
        }
    }
    let same = old.display().to_string();
    let output = stuckvm(&["run", "-f", GREEN, "--junit", &same, "--markdown", &same]);
    assert_eq!(output.status.code(), Some(2));
}

/// What Jenkins' xUnit schema (`junit-10.xsd`) allows of what stands in a report: attributes by element, those that must be there
/// marked, and children.
const JENKINS: [(&str, &[&str], &[&str]); 8] = [
    ("testsuites", &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
    (
        "testsuite",
        &["name!", "tests!", "failures!", "errors!", "skipped", "time", "timestamp", "id", "package", "file"],
        &["testsuite", "properties", "testcase", "system-out", "system-err"],
    ),
    ("properties", &[], &["property"]),
    ("property", &["name!", "value!"], &[]),
    ("testcase", &["name!", "time", "classname", "group"], &["skipped", "error", "failure", "system-out"]),
    ("failure", &["type", "message"], &[]),
    ("error", &["type", "message"], &[]),
    ("skipped", &["type", "message"], &[]),
];

fn assert_allowed(node: roxmltree::Node<'_, '_>) {
    let name = node.tag_name().name();
    let (_, attributes, children) =
        JENKINS.iter().find(|(known, ..)| *known == name).expect("a known element");
    let allowed = |attribute: &str| attributes.iter().any(|known| known.trim_end_matches('!') == attribute);
    node.attributes().for_each(|found| assert!(allowed(found.name()), "{name} {}", found.name()));
    let needed = attributes.iter().filter_map(|known| known.strip_suffix('!'));
    needed.for_each(|needed| assert!(node.has_attribute(needed), "{name} lacks {needed}"));
    for child in node.children().filter(roxmltree::Node::is_element) {
        assert!(children.contains(&child.tag_name().name()), "{} in {name}", child.tag_name().name());
        assert_allowed(child);
    }
}

/// Entries of every result, with all that XML and Markdown could stumble over.
fn awkward() -> (Vec<Entry>, Summary) {
    let entry = |scenario: &str, result, named| Entry {
        scenario: scenario.into(),
        result,
        named,
        because: vec!["<a> & \"b\" ]]> `c` | \u{1b}[31m".into(), "second\tline".into()],
        place: Some(Place { file: "a & b.yaml".into(), line: 3 }),
    };
    let entries = vec![
        Entry { because: Vec::new(), ..entry("a/b/passes", ResultKind::Passed, "") },
        entry("fails", ResultKind::Failed, "R1"),
        entry("a/error", ResultKind::Error, "timeout"),
        entry("a.b/not-tested", ResultKind::NotTested, ""),
    ];
    let broken = [("R10", 1), ("R2", 3)].into();
    let summary = Summary {
        scenarios: 4,
        passed: 1,
        failed: 1,
        errors: 1,
        not_tested: 1,
        not_begun: Some(2),
        broken,
        ..Summary::new("`my | detector`")
    };
    (entries, summary)
}

#[test]
fn junit_is_what_jenkins_takes() {
    let (entries, summary) = awkward();
    let xml = junit(&entries, &[summary]);
    let document = roxmltree::Document::parse(&xml).expect("it is well-formed");
    assert_allowed(document.root_element());
    let suite = document.root_element().first_element_child().expect("it has a suite");
    let counts = ["tests", "failures", "errors", "skipped"].map(|name| suite.attribute(name));
    assert_eq!(counts, [Some("4"), Some("1"), Some("1"), Some("1")]);
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("there is one");
    assert_eq!(failure.attribute("message"), Some("<a> & \"b\" ]]> `c` | \u{fffd}[31m"));
    assert!(failure.text().is_some_and(|text| text.ends_with("second\tline\na & b.yaml:3")));
    let classes: Vec<_> = document.descendants().filter_map(|node| node.attribute("classname")).collect();
    assert_eq!(classes, ["stuckvm.a.b", "stuckvm", "stuckvm.a", "stuckvm.a-b"]);
    assert_snapshot!("junit_awkward", xml);
}

#[test]
fn markdown_holds_whatever_stands_in_names_and_reasons() {
    let (entries, summary) = awkward();
    assert_snapshot!(markdown(&entries, &[summary]));
}
