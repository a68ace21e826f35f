//! The cluster that a scenario asks for: its releases and latencies, what is drawn, what its registries and sources hold.

use crate::fault_injector::{push, source_of};
use crate::format::{
    ClusterSection, KubeletLoops, KubeletSection, LatencySection, Scenario, Span, VerificationPolicy,
};
use crate::play::PlayOptions;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::environment::{KubeletStart, Machines};
use stuckvm_sim::kubelet::{CredentialVerification, PullLimits, RELIST, STATUS, TICK};
use stuckvm_sim::random::WHOLE;
use stuckvm_sim::{CdiConfig, CdiRelease, Cluster, Config, KubeVirtRelease, KubernetesRelease, Latency};

/// How long before 0s the cluster's manifests are applied, so that it has come to rest.
const SETTLING: Duration = Duration::from_secs(60);

/// The cluster before any manifest is applied, a minute before `start`.
pub(crate) fn cluster(scenario: &Scenario, start: Time, options: PlayOptions<'_>) -> Cluster {
    let mut cluster = Cluster::new(config(scenario, start, options));
    prepare(&scenario.cluster, start, &mut cluster);
    cluster
}

fn config(scenario: &Scenario, start: Time, options: PlayOptions<'_>) -> Config {
    let release = &scenario.cluster.release;
    let kubernetes = release.kubernetes.as_deref().and_then(KubernetesRelease::parse).unwrap_or_default();
    let kubevirt = release.kubevirt.as_deref().and_then(KubeVirtRelease::parse).unwrap_or_default();
    let cdi = release.cdi.as_deref().and_then(CdiRelease::parse).unwrap_or_default();
    let settled_from = start.as_nanos().saturating_sub(u64::try_from(SETTLING.as_nanos()).expect("a minute"));
    Config {
        start: Time::from_nanos(settled_from),
        seed: options.seed.unwrap_or(scenario.seed),
        latency: latency(&scenario.cluster.latency),
        kubernetes,
        kubevirt,
        cdi: CdiConfig { release: cdi, ..CdiConfig::default() },
        keep_trace: options.keep_trace,
        run_budget: scenario.step_budget.unwrap_or(Config::default().run_budget),
        keep_journal: scenario.expect.events.is_some(),
        ..Config::default()
    }
}

fn latency(section: &LatencySection) -> Latency {
    let LatencySection { reaction, sandbox, container_start, guest_boot, guest_shutdown, .. } = section;
    let LatencySection { guest_migration, provision, import_failure, .. } = section;
    let LatencySection { pull_failure, launcher_crash, .. } = section;
    let given = |span: &Option<Span>, default: Duration| span.map_or(default, |span| span.0);
    let default = Latency::default();
    Latency {
        reaction: given(reaction, default.reaction),
        sandbox: given(sandbox, default.sandbox),
        pod_sync: default.pod_sync,
        container_start: given(container_start, default.container_start),
        guest_boot: given(guest_boot, default.guest_boot),
        guest_shutdown: given(guest_shutdown, default.guest_shutdown),
        guest_migration: given(guest_migration, default.guest_migration),
        provision: given(provision, default.provision),
        import_failure: given(import_failure, default.import_failure),
        pull_failure: given(pull_failure, default.pull_failure),
        launcher_crash: given(launcher_crash, default.launcher_crash),
    }
}

fn prepare(section: &ClusterSection, start: Time, cluster: &mut Cluster) {
    for (component, fraction) in &section.draws {
        cluster.random_mut().fix(component, billionths(*fraction));
    }
    let answer = cluster.config().latency.pull_failure;
    let environment = cluster.environment_mut();
    environment.registry.answer = answer;
    if let Some(loops) = section.kubelet.loops {
        environment.machines.start_kubelets(kubelet_start(loops, start));
    }
    set_up_kubelets(&section.kubelet, &mut environment.machines);
    for (reference, image) in &section.images {
        push(&mut environment.registry, reference, Some(image));
    }
    for (url, source) in &section.sources {
        environment.sources.put(url.as_str(), source_of(source));
    }
}

/// A fraction below one as the generator takes it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the loader has checked the range"
)]
fn billionths(fraction: f64) -> u32 {
    (fraction * f64::from(WHOLE)).round() as u32
}

/// Loops that have been running since before the manifests were applied, and come round as the file says after 0s.
fn kubelet_start(loops: KubeletLoops, start: Time) -> KubeletStart {
    let rounds = u32::try_from(SETTLING.as_secs()).expect("a minute") + 1;
    let before = |at: Span, period: Duration| {
        let early = u64::try_from((period * rounds).as_nanos()).expect("two minutes");
        Time::from_nanos((start + at.0).as_nanos().saturating_sub(early))
    };
    KubeletStart {
        tick: before(loops.tick, TICK),
        relist: before(loops.relist, RELIST),
        status: before(loops.tick, STATUS),
    }
}

/// Every kubelet's settings, defaulted as upstream does (`pkg/kubelet/apis/config/v1beta1/defaults.go`).
fn set_up_kubelets(section: &KubeletSection, machines: &mut Machines) {
    let several = section.max_parallel_image_pulls.filter(|limit| *limit > 1);
    let serial = section.serialize_image_pulls.unwrap_or(several.is_none());
    let default = PullLimits::default();
    machines.limit_pulls(PullLimits {
        parallel: if serial { Some(1) } else { section.max_parallel_image_pulls },
        qps: section.registry_pull_qps.unwrap_or(default.qps),
        burst: section.registry_burst.unwrap_or(default.burst),
    });
    machines.verify_credentials(match section.image_pull_credentials_verification_policy {
        VerificationPolicy::NeverVerify => CredentialVerification::NeverVerify,
        VerificationPolicy::NeverVerifyPreloadedImages => CredentialVerification::NeverVerifyPreloadedImages,
        VerificationPolicy::NeverVerifyAllowlistedImages => {
            let allowed = section.preloaded_images_verification_allowlist.iter();
            CredentialVerification::NeverVerifyAllowlistedImages(allowed.map(Into::into).collect())
        }
        VerificationPolicy::AlwaysVerify => CredentialVerification::AlwaysVerify,
    });
}
