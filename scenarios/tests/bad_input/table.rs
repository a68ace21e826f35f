//! Scenarios that are wrong, and what is said of each.

/// Why the row is there, the file, and the message in full.
pub(crate) const TABLE: [(&str, &str, &str); 48] = [
    (
        "a bad duration",
        "scenario: x\nuntil: 5 minutes\nexpect: {}\n",
        "\
x.yaml, line 2, column 8:
  field     until
  expected  \"5 minutes\" is not a duration: the unit is not known; write a number
            with one of the units h, m, s, ms, us, ns, such as 5m, 299.999s,
            1h30m, 50ms or 0s
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "an unknown key",
        "scenario: x\nuntil: 5m\nfoo: 1\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 6:
  field     foo
  expected  one of `scenario`, `about`, `start`, `seed`, `until`, `threshold`,
            `stepBudget`, `cluster`, `steps`, `expect`
  found     unknown field `foo`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "nothing is expected",
        "scenario: x\nuntil: 5m\nexpect: {}\n",
        "\
x.yaml, line 3, column 9:
  field     expect
  expected  one of status, alerts, counts, objects, events, verdict
  found     nothing
  try       pin what must come: `alerts: []` demands silence",
    ),
    (
        "a manifest that names no kind",
        "scenario: x\nuntil: 5m\nsteps:\n  - at: 0s\n    apply: [{apiVersion: v1, metadata: {name: a}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 5, column 13:
  field     steps[0].apply[0].kind
  expected  the kind of the object
  found     none
  try       every manifest says `kind`, such as `kind: VirtualMachine`, and
            `apiVersion`",
    ),
    (
        "a bad quantity",
        "scenario: x\nuntil: 5m\ncluster:\n  manifests:\n    - {kind: Node, metadata: {name: a}, status: {allocatable: {memory: 5GiB}}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 5, column 72:
  field     cluster.manifests[0].status.allocatable.memory
  expected  quantities must match the regular expression
            '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  found     \"5GiB\"
  try       compare with `kubectl explain node`",
    ),
    (
        "a step before the last",
        "scenario: x\nuntil: 5m\nsteps: [{at: 2m}, {at: 1m}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 24:
  field     steps[1].at
  expected  2m or later, as the step before
  found     1m
  try       put the steps in order of time",
    ),
    (
        "a release that YAML takes for a number",
        "scenario: x\nuntil: 5m\ncluster: {release: {kubernetes: 1.30}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 33:
  field     cluster.release.kubernetes
  expected  a string
  found     floating point `1.3`
  try       write it in quotes: without them YAML takes it for a number",
    ),
    (
        "a release that is not modelled",
        "scenario: x\nuntil: 5m\ncluster: {release: {kubernetes: \"1.29\"}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 33:
  field     cluster.release.kubernetes
  expected  one of 1.23, 1.30, 1.34, 1.36
  found     1.29
  try       name a release that is modelled",
    ),
    (
        "a release of CDI that is not modelled",
        "scenario: x\nuntil: 5m\ncluster: {release: {cdi: \"1.50\"}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 26:
  field     cluster.release.cdi
  expected  one of 1.43, 1.64, main-2026-08
  found     1.50
  try       name a release that is modelled",
    ),
    (
        "an alert written as a list",
        "scenario: x\nuntil: 5m\nexpect: {alerts: [[default/vm1, 5m, Unknown, null]]}\n",
        "\
x.yaml, line 3, column 19:
  field     expect.alerts[0]
  expected  a mapping
  found     a list
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "latencies in a list",
        "scenario: x\nuntil: 5m\ncluster: {latency: [50ms]}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 20:
  field     cluster.latency
  expected  a mapping
  found     a list
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a target written as a list",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, break: {phase: [default/vm1, Foo]}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 33:
  field     steps[0].break.phase
  expected  a mapping
  found     a list
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a step that does nothing",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, apply: []}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 9:
  field     steps[0]
  expected  something to do: apply, patch, delete, start, break, heal …
  found     only `at`
  try       say what happens then, or leave the step out",
    ),
    (
        "a List without a list",
        "scenario: x\nuntil: 5m\ncluster: {manifests: [{kind: List, items: {kind: Node}}]}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 43:
  field     cluster.manifests[0].items
  expected  a list
  found     a mapping
  try       write each object as an item, `- kind: …`; a single one needs no
            List around it",
    ),
    (
        "a size that is no quantity",
        "scenario: x\nuntil: 5m\ncluster: {images: {a.example/b:v1: {size: 5GiB}}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 43:
  field     cluster.images[a.example/b:v1].size
  expected  quantities must match the regular expression
            '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  found     5GiB
  try       write a quantity such as 250M or 1Gi",
    ),
    (
        "an upload of no size",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, upload: {data-volume: a/b, size: much}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 51:
  field     steps[0].upload.size
  expected  quantities must match the regular expression
            '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  found     much
  try       write a quantity such as 250M or 1Gi",
    ),
    (
        "an unknown key in a step",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, brek: {node: a}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 24:
  field     steps[0].brek
  expected  one of `at`, `apply`, `patch`, `delete`, `start`, `start-paused`,
            `stop`, `restart`, `pause`, `unpause`, `migrate`, `cordon`,
            `uncordon`, `drain`, `upload`, `panic`, `power-off`, `break`,
            `heal`, `crash-detector`
  found     unknown field `brek`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "an instance type that a volume's labels name",
        "\
scenario: x
until: 5m
steps:
  - at: 0s
    apply:
      - {kind: VirtualMachine, metadata: {name: vm1, namespace: default}, spec: {instancetype: {inferFromVolume: root}}}
expect: {alerts: []}
",
        "\
x.yaml, line 6, column 9:
  field     steps[0].apply[0]
  expected  a machine without spec.instancetype.inferFromVolume
  found     VirtualMachine default/vm1
  try       name it: a play does not look at the labels of volumes",
    ),
    (
        "a machine that says what its instance type says",
        "\
scenario: x
until: 5m
cluster:
  manifests:
    - {kind: VirtualMachineClusterInstancetype, metadata: {name: u1}, spec: {cpu: {guest: 1}, memory: {guest: 1Gi}}}
    - kind: VirtualMachine
      metadata: {name: vm1, namespace: default}
      spec: {runStrategy: Always, instancetype: {name: u1}, template: {spec: {domain: {cpu: {cores: 2}, devices: {}}}}}
expect: {alerts: []}
",
        "\
x.yaml, line 6, column 7:
  field     cluster.manifests[1]
  expected  a machine that goes with its instance type
  found     VirtualMachine default/vm1: spec.template.spec.domain.cpu.cores: VM
            field(s) spec.template.spec.domain.cpu.cores conflicts with selected
            instance type
  try       the API server would not store this machine; leave the field to the
            instance type",
    ),
    (
        "a number that is none",
        "scenario: x\nuntil: 5m\nseed: lots\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 7:
  field     seed
  expected  a whole number that is not negative
  found     string \"lots\"
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a mapping where a list belongs",
        "scenario: x\nuntil: 5m\nsteps: {at: 0s}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 8:
  field     steps
  expected  a list
  found     a mapping
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a time in another spelling",
        "scenario: x\nuntil: 5m\nstart: 2022-10-03 11:11:07\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 8:
  field     start
  expected  a time such as 2022-10-03T11:11:07Z or 2022-10-03T11:11:07.5Z; it
            departs from that at character 11
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a day that does not exist",
        "scenario: x\nuntil: 5m\nstart: 2022-02-30T11:11:07Z\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 8:
  field     start
  expected  a day from 01 to 28
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a step after the end",
        "scenario: x\nuntil: 5m\nsteps: [{at: 6m, start: default/a}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 14:
  field     steps[0].at
  expected  5m or earlier, since the run ends then
  found     6m
  try       a later step would never be taken: lengthen `until`",
    ),
    (
        "a step on a kind that the cluster does not know",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, delete: {kind: Service, name: a}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 33:
  field     steps[0].delete.kind
  expected  one of Node, StorageClass, PriorityClass, ConfigMap, Secret,
            ControllerRevision, VirtualMachineClusterInstancetype,
            VirtualMachineInstancetype, VirtualMachineClusterPreference,
            VirtualMachinePreference, VolumeSnapshotClass, PersistentVolume,
            PersistentVolumeClaim, VolumeSnapshotContent, VolumeSnapshot,
            DataSource, DataVolume, VolumeImportSource, VolumeUploadSource,
            VolumeCloneSource, Pod, VirtualMachineInstance, VirtualMachine,
            VirtualMachineInstanceMigration
  found     `Service`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a fault that is not known",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, break: {launcher: {vm: default/a, fault: flood}}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 59:
  field     steps[0].break.launcher.fault
  expected  `crash-at-start` or `domain-cannot-start`
  found     unknown variant `flood`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a target that is not known",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, break: {nod: a}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 25:
  field     steps[0].break
  expected  one of `registry`, `image`, `source`, `launcher`, `node`, `quota`,
            `phase`, `watch`, `controller`, `conflicts`, `slow-api`, `scrapes`,
            `leader`
  found     unknown variant `nod`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "two targets at once",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, break: {node: a, registry: b}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 25:
  field     steps[0].break
  expected  exactly one key
  found     a mapping
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a controller that is not known",
        "scenario: x\nuntil: 5m\nsteps: [{at: 1m, heal: {watch: {controller: foo, kind: Pod}}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 45:
  field     steps[0].heal.watch.controller
  expected  one of garbage-collector, node-lifecycle, taint-eviction, pod-gc,
            pv-binder, pvc-protection, pv-protection, provisioner, snapshotter,
            data-volume, import, upload, clone, import-populator,
            upload-populator, clone-populator, virtual-machine,
            virtual-machine-instance, migration, evacuation, virt-handler,
            scheduler, kubelet, node-heartbeat
  found     foo
  try       name it as the trace does",
    ),
    (
        "a budget of nothing",
        "scenario: x\nuntil: 5m\nstepBudget: 0\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 13:
  field     stepBudget
  expected  a whole number above 0
  found     0
  try       leave it out for a billion",
    ),
    (
        "sizes of no share",
        "scenario: x\nuntil: 5m\ncluster:\n  generate:\n    - count: 1\n      sizes: [{share: 0, cores: 1, memory: 1Gi}]\n      template: {kind: Node, metadata: {name: a}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 6, column 14:
  field     cluster.generate[0].sizes
  expected  a weight above 0
  found     none
  try       give each value a weight, such as `good: 98`",
    ),
    (
        "a drawn size that is no quantity",
        "scenario: x\nuntil: 5m\ncluster:\n  generate:\n    - count: 1\n      sizes: [{share: 1, cores: 1, memory: 1Gi}, {share: 1, cores: 1, memory: 5GiB}]\n      template:\n        kind: VirtualMachine\n        metadata: {name: a}\n        spec: {template: {spec: {domain: {memory: {guest: \"{memory}\"}, devices: {}}}}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 10, column 59:
  field     cluster.generate[0].template.spec.template.spec.domain.memory.guest
  expected  quantities must match the regular expression
            '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  try       mend the template",
    ),
    (
        "a generated fault of what has no phase",
        "scenario: x\nuntil: 5m\ncluster:\n  generate:\n    - count: 1\n      break: {after: 1m, phase: Unknown}\n      template: {kind: Node, metadata: {name: a}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 6, column 14:
  field     cluster.generate[0].break
  expected  a template of kind VirtualMachine
  found     Node
  try       only machines have instances with phases",
    ),
    (
        "nothing after expect",
        "scenario: x\nuntil: 5m\nexpect:\n",
        "\
x.yaml, line 3, column 7:
  field     expect
  expected  a mapping
  found     null
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "no expect",
        "scenario: x\nuntil: 5m\n",
        "\
x.yaml, line 1, column 1:
  expected  `expect`, which must be given
  found     nothing
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "an expected verdict that is none",
        "scenario: x\nuntil: 5m\nexpect: {verdict: {is: bad}}\n",
        "\
x.yaml, line 3, column 24:
  field     expect.verdict.is
  expected  `fail` or `error`
  found     unknown variant `bad`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a status to count that is no error",
        "scenario: x\nuntil: 5m\nexpect: {counts: {firing: 1, resolved: 0, as: {Running: 1}}}\n",
        "\
x.yaml, line 3, column 57:
  field     expect.counts.as.Running
  expected  one of CrashLoopBackOff, Unknown, Unschedulable, ErrImagePull,
            ImagePullBackOff, PvcNotFound, DataVolumeError
  found     Running
  try       use the runbook's spelling",
    ),
    (
        "a key twice",
        "scenario: x\nuntil: 5m\nuntil: 6m\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 1:
  expected  every key once
  found     until again; it stands in line 2, column 1 too
  try       leave one of the two away",
    ),
    (
        "a list instead of a scenario",
        "- x\n",
        "\
x.yaml, line 1, column 1:
  expected  the keys of a scenario: `scenario`, `until`, `expect` …
  found     [\"x\"]
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "two scenarios in a file",
        "scenario: x\nuntil: 5m\nexpect: {alerts: []}\n---\nscenario: y\n",
        "\
x.yaml, line 5, column 1:
  expected  one document a scenario file
  found     a second one
  try       put each scenario into a file of its own",
    ),
    (
        "an empty file",
        "",
        "\
x.yaml, line 1, column 1:
  expected  a YAML or JSON document
  found     nothing
  try       check that this is the right file",
    ),
    (
        "a file of comments",
        "# not yet\n",
        "\
x.yaml, line 1, column 1:
  expected  a YAML or JSON document
  found     nothing
  try       check that this is the right file",
    ),
    (
        "a duplicate object",
        "scenario: x\nuntil: 5m\ncluster:\n  manifests:\n    - {kind: Node, metadata: {name: a}}\n    - {kind: Node, metadata: {name: a}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 6, column 7:
  field     cluster.manifests[1]
  expected  objects of different names
  found     Node /a twice
  try       an object can be created once; rename it or leave one out",
    ),
    (
        "draws of what does not draw",
        "scenario: x\nuntil: 5m\ncluster: {draws: {kubelets: 0}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 18:
  field     cluster.draws
  expected  one of kubelet, node-heartbeat, node-lifecycle, pod-gc, scheduler,
            start-back-off, virt-handler
  found     kubelets
  try       name a component that draws",
    ),
    (
        "a draw that is none",
        "scenario: x\nuntil: 5m\ncluster: {draws: {kubelet: 1}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 28:
  field     cluster.draws.kubelet
  expected  a fraction from 0 on and below 1
  found     1
  try       0 is the least that can be drawn, 0.5 the middle",
    ),
    (
        "an object at two instants",
        "scenario: x\nuntil: 5m\nexpect:\n  objects: [{kind: Pod, name: a/b, at: 1s, from: 2s}]\n",
        "\
x.yaml, line 4, column 13:
  field     expect.objects[0]
  expected  either `at`, or `from` (later than 0s) and perhaps `by`
  found     another choice of the three
  try       `at` looks at one instant, `from` at the change, `by` allows it to
            be drawn",
    ),
    (
        "an object after the end",
        "scenario: x\nuntil: 5m\nexpect:\n  objects: [{kind: Pod, name: a/b, at: 6m}]\n",
        "\
x.yaml, line 4, column 13:
  field     expect.objects[0]
  expected  an instant up to `until`, 5m
  found     6m
  try       nobody looks after the end of the run",
    ),
    (
        "a file that is not there",
        "scenario: x\nuntil: 5m\nsteps: [{at: 0s, apply: [vm.yaml]}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 26:
  field     steps[0].apply[0]
  expected  a file with manifests
  found     no file `vm.yaml`
  try       paths are taken from the scenario's folder, then from the root of
            the catalog",
    ),
];
