//! The table of printable statuses in random worlds of our own: what holds in every one of them, and that every row and
//! every question that a row asks decides an answer in some.

#[path = "status_worlds/generator.rs"]
mod generator;
#[path = "status_worlds/questions.rs"]
mod questions;
#[path = "status_worlds/rows.rs"]
mod rows;
#[path = "status_worlds/world.rs"]
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;

use generator::world;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use questions::{Answer, QUESTIONS, Question};
use rows::ROWS;
use serde_json::Value;
use stuckvm_detector::PrintableStatus::{self, *};
use stuckvm_sim::{KubeVirtRelease, Object, Random, VmStatus, statuses};
use world::{NOW, World};

/// Enough for every row and every question.
const WORLDS: u32 = 1_500;
/// A question that has decided so often is asked no more.
const ENOUGH: u32 = 3;

/// The seven, as the alert's runbook lists them, in the API's words.
const ERRORS: [&str; 7] = [
    "CrashLoopBackOff",
    "DataVolumeError",
    "ErrImagePull",
    "ErrorPvcNotFound",
    "ErrorUnschedulable",
    "ImagePullBackOff",
    "Unknown",
];

fn answers(objects: &[Object]) -> Vec<VmStatus> {
    statuses(objects, KubeVirtRelease::default(), NOW.parse().expect("a time")).expect("names of their own")
}

fn answer(world: &World) -> VmStatus {
    answers(&world.objects("default", "vm")).remove(0)
}

/// Every answer that is no stored one from before.
fn words(status: &VmStatus) -> [PrintableStatus; 5] {
    [status.status, status.create_expected, status.delete_expected, status.update_only, status.reconcile]
}

fn without_reason(mut status: VmStatus) -> VmStatus {
    status.because.clear();
    status
}

/// The same objects with every list of volumes and conditions the other way round, in a random order.
fn shuffled(objects: &[Object], seed: u64) -> Vec<Object> {
    let mut random = Random::new(seed);
    let mut keyed: Vec<_> =
        objects.iter().map(|object| (random.uniform("order", 0..=u64::MAX - 1), turned(object))).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, object)| object).collect()
}

fn turned(object: &Object) -> Object {
    let mut value = object.to_value();
    for list in ["/spec/template/spec/volumes", "/spec/volumes", "/status/conditions"] {
        value.pointer_mut(list).and_then(Value::as_array_mut).into_iter().for_each(|list| list.reverse());
    }
    Object::from_value(&value).expect("a readable object").expect("a known kind")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_machine_has_an_answer(world in world()) {
        let status = answer(&world);
        for word in words(&status) {
            prop_assert_ne!(word, Empty, "{:?}", status);
            prop_assert_eq!(ERRORS.contains(&word.as_str()), word.is_error(), "{}", word);
        }
        prop_assert!(!status.because.is_empty(), "{:?}", status);
        // Only a spec with both fields ends a reconcile, which leaves the status as it was stored.
        let both = world.wants.running.is_some() && world.wants.strategy.is_some();
        prop_assert!(status.reconcile_fails.is_none() || both && status.reconcile == Stopped, "{:?}", status);
    }

    #[test]
    fn a_row_before_the_one_that_answers_takes_the_answer(world in world()) {
        let found = answer(&world).status;
        for (row, hold) in ROWS.into_iter().take_while(|(row, _)| *row != found) {
            let mut changed = world.clone();
            hold(&mut changed);
            prop_assert_eq!(answer(&changed).status, row, "{:?} was {}", changed, found);
        }
    }

    #[test]
    fn what_was_asked_for_and_not_seen_changes_what_it_may(world in world()) {
        let status = answer(&world);
        let (as_it_is, created, deleted) = (status.status, status.create_expected, status.delete_expected);
        prop_assert!(
            created == as_it_is || matches!((as_it_is, created), (Stopped | CrashLoopBackOff, Starting) | (CrashLoopBackOff, Stopped)),
            "{:?}", status
        );
        prop_assert!(deleted == as_it_is || deleted == Stopping && as_it_is != Terminating, "{:?}", status);
    }

    #[test]
    fn no_order_of_a_list_matters(world in world(), seed: u64) {
        let objects = world.objects("default", "vm");
        let found = answers(&shuffled(&objects, seed)).remove(0);
        prop_assert_eq!(without_reason(found), without_reason(answer(&world)));
    }

    #[test]
    fn machines_do_not_disturb_each_other(worlds in vec(world(), 1..4)) {
        // The same names in two namespaces, and two names in one.
        let places = [("a", "vm"), ("b", "vm"), ("a", "other")];
        let alone: Vec<_> = worlds.iter().zip(places).map(|(world, (namespace, name))| world.objects(namespace, name)).collect();
        let together = answers(&alone.concat());
        prop_assert_eq!(together, alone.iter().flat_map(|objects| answers(objects)).collect::<Vec<_>>());
    }
}

/// The same worlds in each run: what they reach must not be a matter of luck.
fn each_world(mut look: impl FnMut(&World)) {
    let config = Config { cases: WORLDS, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let look = RefCell::new(&mut look);
    TestRunner::new_with_rng(config, random)
        .run(&world(), |world| {
            (look.borrow_mut())(&world);
            Ok(())
        })
        .expect("looking does not fail");
}

#[test]
fn every_row_is_reached() {
    let mut reached = BTreeMap::from(ROWS.map(|(row, _)| (row, 0)));
    each_world(|world| *reached.get_mut(&answer(world).status).expect("the status of a row") += 1);
    let missed: Vec<_> = reached.iter().filter(|(_, count)| **count == 0).collect();
    assert!(missed.is_empty(), "no world for {missed:?} among {reached:?}");
}

#[test]
fn every_question_of_a_row_decides_an_answer() {
    let mut reached: Vec<_> = QUESTIONS.iter().map(|question| (question, 0)).collect();
    each_world(|world| {
        for (question, count) in reached.iter_mut().filter(|(_, count)| *count < ENOUGH) {
            *count += u32::from(decides(question, world));
        }
    });
    let missed = reached.iter().filter(|(_, count)| *count == 0);
    let missed: Vec<_> = missed.map(|(question, _)| format!("{}: {}", question.row, question.asks)).collect();
    assert!(missed.is_empty(), "no world in which these decide: {missed:#?}");
}

/// Whether the row's status comes or goes with the answer.
fn decides(question: &Question, world: &World) -> bool {
    let as_it_is = || answer(world);
    let [yes, no] = match question.answer {
        Answer::Objects(change) => [true, false].map(|is| {
            let mut world = world.clone();
            change(&mut world, is);
            answer(&world).status
        }),
        Answer::Creation => [as_it_is().create_expected, as_it_is().status],
        Answer::Deletion => [as_it_is().delete_expected, as_it_is().status],
    };
    (yes == question.row) != (no == question.row)
}
