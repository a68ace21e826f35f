//! Plays of the VM controller: the test plays the VMI controller's part.

use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::{PrintableStatus, Time};
use stuckvm_sim::metrics::scrape;
use stuckvm_sim::objects::{PhaseTransition, VirtualMachine, VirtualMachineInstance};
use stuckvm_sim::{
    ApiError, Cluster, Config, KubeVirtRelease, Latency, Object, ObjectId, START_BACK_OFF_STREAM,
};

/// A machine in a cluster of the VM controller alone.
struct Play {
    cluster: Cluster,
    vm: ObjectId,
}

impl Play {
    /// The machine is created half a millisecond before a whole second, so that fractions show.
    fn new(run_strategy: &str) -> Self {
        let start = Time::from_nanos(1_664_795_467_999_500_000);
        let config = Config { start, latency: Latency::none(), ..Config::default() };
        let mut cluster = Cluster::with_some(config, |name| name == "virtual-machine");
        let manifest = json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
            "metadata": {"name": "vm1", "namespace": "ns1"},
            "spec": {"runStrategy": run_strategy, "template": {"spec": {"domain": {"devices": {}}}}},
        });
        let object = Object::from_value(&manifest).expect("a machine").expect("a known kind");
        let vm = cluster.apply(&object).expect("a new machine");
        let mut play = Self { cluster, vm };
        play.settle();
        play
    }

    /// Nobody plays the instance's own controller, so its finalizer is taken away at once.
    fn settle(&mut self) {
        self.cluster.settle().expect("an instant that comes to rest");
        let Some(instance) = self.instance() else { return };
        let released = self.cluster.patch::<VirtualMachineInstance>(instance, |vmi| {
            vmi.metadata.remove_finalizer("kubevirt.io/foregroundDeleteVirtualMachine");
        });
        assert!(released.is_ok(), "the instance is there");
        self.cluster.settle().expect("an instant that comes to rest");
    }

    fn after(&mut self, duration: Duration) {
        self.cluster.run_until(self.cluster.now() + duration).expect("instants that come to rest");
        self.settle();
    }

    fn status(&self) -> PrintableStatus {
        self.machine().status.printable_status
    }

    fn machine(&self) -> &VirtualMachine {
        self.cluster.view().get::<VirtualMachine>(self.vm).expect("the machine")
    }

    fn instance(&self) -> Option<ObjectId> {
        Some(self.cluster.view().named::<VirtualMachineInstance>("ns1", "vm1")?.0)
    }

    fn phase(&mut self, phase: &str) {
        let vmi = self.instance().expect("an instance");
        let transition = PhaseTransition { phase: phase.into(), ..PhaseTransition::default() };
        self.cluster
            .patch::<VirtualMachineInstance>(vmi, |vmi| {
                vmi.status.phase = phase.into();
                vmi.status.phase_transition_timestamps.push(transition);
            })
            .expect("the phase is written");
        self.settle();
    }

    /// Makes the controller look at the machine, by a label that changes.
    fn look(&mut self) {
        let now = self.cluster.now().as_nanos().to_string();
        let labelled = self.cluster.patch::<VirtualMachine>(self.vm, |vm| {
            vm.metadata.labels.insert("looked", now);
        });
        assert_eq!(labelled, Ok(true), "the label changes");
        self.settle();
    }

    fn failures(&self) -> Option<i32> {
        self.machine().status.start_failure.as_ref().map(|failure| failure.consecutive_fail_count)
    }

    /// The user's request, and all that follows at once.
    fn request(
        &mut self,
        request: fn(&mut Cluster, &str, &str) -> Result<(), ApiError>,
    ) -> Result<(), String> {
        let answer = request(&mut self.cluster, "ns1", "vm1").map_err(|error| error.to_string());
        self.settle();
        answer
    }
}

#[test]
fn each_run_strategy_starts_on_its_own_or_waits_to_be_asked() {
    for (strategy, starts) in
        [("Always", true), ("RerunOnFailure", true), ("Once", true), ("Manual", false), ("Halted", false)]
    {
        let mut play = Play::new(strategy);
        assert_eq!(play.instance().is_some(), starts, "{strategy}");
        if !starts {
            assert_eq!(play.status(), PrintableStatus::Stopped, "{strategy}");
            assert_eq!(play.request(Cluster::start_vm), Ok(()), "{strategy}");
            assert!(play.instance().is_some(), "{strategy} starts when asked to");
        }
        assert_eq!(play.status(), PrintableStatus::Starting, "{strategy}");
        assert_eq!(play.machine().metadata.finalizers, ["kubevirt.io/virtualMachineControllerFinalize"]);
    }
}

#[test]
fn a_machine_that_waits_to_be_asked_may_start_paused() {
    for strategy in ["Manual", "Halted"] {
        let mut play = Play::new(strategy);
        assert_eq!(play.request(Cluster::start_vm_paused), Ok(()), "{strategy}");
        let instance = play.instance().expect("it has started");
        let started = play.cluster.view().get::<VirtualMachineInstance>(instance).expect("an instance");
        let start = started.spec.rest.get("startStrategy").and_then(Value::as_str);
        assert_eq!(start, Some("Paused"), "{strategy}");
        assert!(play.machine().status.state_change_requests.is_empty(), "{strategy}");
    }
    let mut once = Play::new("Once");
    once.phase("Failed");
    let refused = once.request(Cluster::start_vm_paused).expect_err("it starts by itself");
    assert!(refused.ends_with("Once does not support manual start requests"), "{refused}");
}

#[test]
fn an_instance_that_ends_is_replaced_where_the_run_strategy_says_so() {
    let replaced = |strategy: &str, phase: &str| {
        let mut play = Play::new(strategy);
        if strategy == "Manual" {
            play.request(Cluster::start_vm).expect("a start");
        }
        let first = play.instance();
        play.phase("Running");
        assert_eq!(play.status(), PrintableStatus::Running);
        play.phase(phase);
        (play.instance() != first, play.status())
    };
    let (starting, stopped) = (PrintableStatus::Starting, PrintableStatus::Stopped);
    assert_eq!(replaced("Always", "Succeeded"), (true, starting));
    assert_eq!(replaced("Always", "Failed"), (true, starting));
    assert_eq!(replaced("RerunOnFailure", "Failed"), (true, starting));
    assert_eq!(replaced("RerunOnFailure", "Succeeded"), (true, stopped), "it goes and none follows");
    assert_eq!(replaced("Once", "Failed"), (false, stopped), "it stays for ever");
    assert_eq!(replaced("Manual", "Failed"), (false, stopped));
}

/// The ranges of `calculateStartBackoffTime` for one to six failures: 10 n² and half of that, cut at 300 s.
const DELAYS: [(u64, u64); 6] = [(10, 15), (40, 60), (90, 135), (160, 240), (250, 300), (300, 300)];

#[test]
fn failed_starts_back_off_to_the_whole_second_of_their_range() {
    for longest in [false, true] {
        let mut play = Play::new("Always");
        let fraction = if longest { 999_999_999 } else { 0 };
        play.cluster.random_mut().give(START_BACK_OFF_STREAM, [fraction; 6]);
        for (index, (shortest_delay, longest_delay)) in DELAYS.into_iter().enumerate() {
            let failed_at = play.cluster.now();
            play.phase("Failed");
            assert_eq!(play.failures(), i32::try_from(index + 1).ok());
            assert_eq!(play.status(), PrintableStatus::CrashLoopBackOff);
            assert_eq!(play.instance(), None, "it is deleted, and nobody keeps it");
            let delay = if longest { longest_delay } else { shortest_delay };
            // Only whole seconds are compared, and the wait counts whole seconds from the failure.
            play.after(Duration::from_secs(delay) - Duration::from_nanos(1));
            assert_eq!(play.status(), PrintableStatus::CrashLoopBackOff, "{delay} s are not over");
            play.after(Duration::from_nanos(1));
            assert_eq!(play.status(), PrintableStatus::Starting, "{delay} s are over");
            assert_eq!(play.cluster.now() - failed_at, Duration::from_secs(delay));
        }
    }
}

#[test]
fn the_fractions_of_a_second_do_not_count() {
    let mut play = Play::new("Always");
    play.cluster.random_mut().give(START_BACK_OFF_STREAM, [0]);
    play.phase("Failed");
    // The failure was at .9995 of its second, so that the tenth second after that one begins 9.0005 s later. The
    // controller's own timer is later still; whatever else makes it look then makes it start.
    play.after(Duration::from_micros(9_000_499));
    play.look();
    assert_eq!(play.status(), PrintableStatus::CrashLoopBackOff, "the ninth second");
    play.after(Duration::from_micros(1));
    assert_eq!(play.status(), PrintableStatus::CrashLoopBackOff, "nobody looks");
    play.look();
    assert_eq!(play.status(), PrintableStatus::Starting, "the tenth second");
}

#[test]
fn a_guest_that_runs_clears_the_failures() {
    let mut play = Play::new("Always");
    play.cluster.random_mut().give(START_BACK_OFF_STREAM, [0, 0]);
    play.phase("Failed");
    play.after(Duration::from_secs(10));
    assert_eq!(play.failures(), Some(1), "a start alone clears nothing");
    play.phase("Running");
    assert_eq!(play.failures(), None);
    play.phase("Failed");
    assert_eq!(play.failures(), None, "a guest that ran has not failed to start");
    assert_eq!(play.status(), PrintableStatus::Starting, "the next one follows at once");
}

#[test]
fn requests_are_refused_in_upstreams_words() {
    let refused = |why: &str| {
        Err(format!("Operation cannot be fulfilled on virtualmachine.kubevirt.io \"vm1\": {why}"))
    };
    let mut always = Play::new("Always");
    always.phase("Running");
    assert_eq!(always.request(Cluster::start_vm), refused("VM is already running"));
    assert_eq!(always.request(Cluster::stop_vm), Ok(()));
    assert_eq!(always.machine().spec.run_strategy.as_deref(), Some("Halted"));
    always.phase("Succeeded");
    assert_eq!((always.instance(), always.status()), (None, PrintableStatus::Stopped));
    assert_eq!(always.request(Cluster::stop_vm), refused("VM is not running"));
    let halted = "RunStategy Halted does not support manual restart requests";
    assert_eq!(always.request(Cluster::restart_vm), refused(halted));
    let mut manual = Play::new("Manual");
    assert_eq!(manual.request(Cluster::restart_vm), refused("VM is not running: Halted"));
}

#[test]
fn a_restart_takes_the_instance_away_and_brings_another() {
    let mut play = Play::new("Manual");
    play.request(Cluster::start_vm).expect("a start");
    play.phase("Running");
    let first = play.instance();
    assert_eq!(play.request(Cluster::restart_vm), Ok(()));
    // The instance keeps the controller's finalizer until it has ended.
    assert_eq!((play.instance(), play.status()), (first, PrintableStatus::Stopping));
    let under_way =
        Err("Internal error occurred: unable to complete request: stop/start already underway".into());
    assert_eq!(play.request(Cluster::restart_vm), under_way);
    play.phase("Succeeded");
    assert_ne!(play.instance(), first);
    assert_eq!(play.status(), PrintableStatus::Starting);
    assert!(play.machine().status.state_change_requests.is_empty(), "both requests are done");
}

#[test]
fn a_deleted_machine_goes_when_its_instance_has_gone() {
    let mut play = Play::new("Always");
    play.phase("Running");
    let vm = play.vm;
    play.cluster.delete::<VirtualMachine>(vm).expect("a deletion");
    play.settle();
    assert_eq!(play.status(), PrintableStatus::Terminating);
    play.phase("Succeeded");
    assert!(play.cluster.view().get::<VirtualMachine>(vm).is_none());
}

#[test]
fn a_word_of_another_release_is_given_back_until_it_is_replaced() {
    let manifest: Value = json!({
        "kind": "VirtualMachine", "metadata": {"name": "vm1", "namespace": "ns1"},
        "spec": {"runStrategy": "Halted"}, "status": {"printableStatus": "Hibernated"},
    });
    let object = Object::from_value(&manifest).expect("a machine").expect("a known kind");
    assert_eq!(object.to_value()["status"], manifest["status"]);
    let mut cluster = Cluster::with_some(Config::default(), |name| name == "virtual-machine");
    let id = cluster.load([object]).expect("a machine")[0];
    cluster.reconcile_once("virtual-machine", id).expect("the controller");
    let vm = cluster.view().get::<VirtualMachine>(id).expect("the machine").clone();
    assert_eq!(Object::VirtualMachine(vm).to_value()["status"]["printableStatus"], "Stopped");
}

#[test]
fn the_webhook_gives_the_template_a_machine_type() {
    let machine_type = |domain: Value| {
        let mut cluster = Cluster::with_some(Config::default(), |_| false);
        let manifest = json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "vm1"},
            "spec": {"runStrategy": "Halted", "template": {"spec": domain}},
        });
        let object = Object::from_value(&manifest).expect("a machine").expect("a known kind");
        cluster.apply(&object).expect("a new machine");
        let samples = scrape(cluster.view(), KubeVirtRelease::Main2026_08);
        let info = samples.iter().find(|sample| sample.metric == "kubevirt_vm_info").expect("it is exported");
        let label = info.labels.iter().find(|(label, _)| *label == "machine_type");
        label.map(|(_, value)| value.to_string())
    };
    assert_eq!(machine_type(json!({"domain": {"devices": {}}})).as_deref(), Some("q35"));
    let own = json!({"domain": {"devices": {}, "machine": {"type": "pc-q35-9.0"}}});
    assert_eq!(machine_type(own).as_deref(), Some("pc-q35-9.0"));
    let other = json!({"architecture": "arm64", "domain": {"devices": {}, "machine": {"type": ""}}});
    assert_eq!(machine_type(other).as_deref(), Some("virt"));
}

#[test]
fn failures_stay_and_are_counted_while_running_and_run_strategy_are_both_set() {
    let mut play = Play::new("Always");
    play.cluster.random_mut().give(START_BACK_OFF_STREAM, [0, 0]);
    play.phase("Failed");
    play.after(Duration::from_secs(10));
    assert_eq!(play.failures(), Some(1), "the second instance has been created");
    // A machine of both fields reaches its status only where nobody asks for its strategy: while it is being deleted.
    let vm = play.vm;
    let both = play.cluster.patch::<VirtualMachine>(vm, |vm| {
        Arc::make_mut(&mut vm.spec).running = Some(true);
        vm.metadata.add_finalizer("example.com/kept");
    });
    assert_eq!(both, Ok(true), "the spec changes");
    play.cluster.delete::<VirtualMachine>(vm).expect("a deletion");
    play.settle();
    // `shouldClearStartFailure` is false where the strategy cannot be told, and `vmiFailedEarly` asks for none.
    assert_eq!((play.status(), play.failures()), (PrintableStatus::Terminating, Some(1)));
    play.phase("Failed");
    assert_eq!((play.instance(), play.failures()), (None, Some(2)));
}
