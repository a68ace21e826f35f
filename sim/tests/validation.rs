//! What the API server and the webhooks refuse: the full text of each message, as upstream's source spells it.

use stuckvm_sim::{Object, manifest, validation};

/// Why the row is there, the object, and every message in order.
type Row = (&'static str, &'static str, &'static [&'static str]);

const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const NAME_PART: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// Objects of Kubernetes. `$LABEL` and its like stand for the texts above.
const KUBERNETES: &[Row] = &[
    (
        "negative requests",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {requests: {cpu: -1}}}]}}",
        &[
            "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
        ],
    ),
    (
        "limits under requests",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}}]}}",
        &[
            "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1500m",
        ],
    ),
    (
        "an extended resource that is not whole, and one whose limit differs",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {requests: {example.com/gpu: 500m}, limits: {example.com/gpu: 1}}}]}}",
        &[
            "spec.containers[0].resources.requests[example.com/gpu]: Invalid value: \"500m\": must be an integer",
            "spec.containers[0].resources.requests: Invalid value: \"500m\": must be equal to example.com/gpu limit of 1",
        ],
    ),
    (
        "an extended resource without a limit",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {requests: {example.com/gpu: 1}}}]}}",
        &[
            "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
        ],
    ),
    (
        "huge pages alone, and not a multiple of the page",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {limits: {hugepages-2Mi: 3Mi}}}]}}",
        &[
            "spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi",
            "spec.containers[0].resources: Forbidden: HugePages require cpu or memory",
        ],
    ),
    (
        "a pod that asks for less than its containers, by limits and with a sidecar too",
        "{kind: Pod, metadata: {name: p}, spec: {resources: {requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}, limits: {cpu: 2}}, initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 500m}}}], containers: [{name: a, image: i, resources: {requests: {cpu: 500m, memory: 1Gi}}}, {name: b, image: i, resources: {limits: {cpu: 3}, requests: {cpu: 1}}}]}}",
        &[
            "spec.resources.requests[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: \"cpu\", \"hugepages-\", \"memory\"",
            "spec.resources.requests[cpu]: Invalid value: \"1\": must be greater than or equal to aggregate container requests of 2",
            "spec.resources.containers[1][cpu].limits: Invalid value: \"3\": must be less than or equal to pod limits of 2",
        ],
    ),
    (
        "a pod that asks for what its containers ask for",
        "{kind: Pod, metadata: {name: p}, spec: {resources: {requests: {cpu: 1}}, containers: [{name: a, image: i, resources: {limits: {cpu: 1, memory: 1Gi}}}]}}",
        &[],
    ),
    (
        "keys of labels without a selector, in both lists, and in the selector",
        "{kind: Pod, metadata: {name: p, labels: {a: x}}, spec: {containers: [{name: c, image: i}], affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, matchLabelKeys: [a], mismatchLabelKeys: [b]}, {topologyKey: zone, labelSelector: {matchLabels: {a: z}}, matchLabelKeys: [a, b], mismatchLabelKeys: [b]}]}}}}",
        &[
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1][0]: Invalid value: \"a\": exists in both matchLabelKeys and labelSelector",
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].matchLabelKeys[1]: Invalid value: \"b\": exists in both matchLabelKeys and mismatchLabelKeys",
        ],
    ),
    (
        "keys of labels in a spread constraint: a bad name, and one that the selector has",
        "{kind: Pod, metadata: {name: p, labels: {a: x}}, spec: {containers: [{name: c, image: i}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchExpressions: [{key: a, operator: Exists}]}, matchLabelKeys: [/b, a]}]}}",
        &[
            "spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: \"/b\": prefix part must be non-empty",
            "spec.topologySpreadConstraints[0][1]: Invalid value: \"a\": exists in both matchLabelKeys and labelSelector",
        ],
    ),
    (
        "a pod that was stored, with what the server had made of its keys",
        "{kind: Pod, metadata: {name: p, labels: {a: x}}, spec: {containers: [{name: c, image: i}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchExpressions: [{key: a, operator: In, values: [x]}]}, matchLabelKeys: [a]}]}}",
        &[],
    ),
    (
        "a resource that is none",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {requests: {cpus: 1}}}]}}",
        &[
            "spec.containers[0].resources.requests[cpus]: Invalid value: \"cpus\": must be a standard resource type or fully qualified",
            "spec.containers[0].resources.requests[cpus]: Invalid value: \"cpus\": must be a standard resource for containers",
        ],
    ),
    (
        "negative overhead",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}], overhead: {memory: -1Mi}}}",
        &["spec.overhead.limits[memory]: Invalid value: \"-1Mi\": must be greater than or equal to 0"],
    ),
    ("no containers", "{kind: Pod, metadata: {name: p}, spec: {}}", &["spec.containers: Required value"]),
    (
        "a container without name and image",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{resources: {}}]}}",
        &["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"],
    ),
    (
        "containers of one name, one of them an init container",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}, {name: c, image: i}], initContainers: [{name: c, image: i}]}}",
        &[
            "spec.containers[1].name: Duplicate value: \"c\"",
            "spec.initContainers[0].name: Duplicate value: \"c\"",
        ],
    ),
    (
        "names of containers that are no DNS labels",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a.b, image: i}, {name: C, image: i}]}}",
        &[
            "spec.containers[0].name: Invalid value: \"a.b\": must not contain dots",
            "spec.containers[1].name: Invalid value: \"C\": $LABEL",
        ],
    ),
    (
        "words that the API does not know",
        "{kind: Pod, metadata: {name: p}, spec: {restartPolicy: Sometimes, dnsPolicy: Mine, preemptionPolicy: Maybe, containers: [{name: c, restartPolicy: Once, image: ' i', imagePullPolicy: Often, ports: [{containerPort: 80, protocol: ICMP}]}]}}",
        &[
            "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace",
            "spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
            "spec.containers[0].imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
            "spec.containers[0].restartPolicy: Unsupported value: \"Once\": supported values: \"Always\", \"Never\", \"OnFailure\"",
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"",
            "spec.dnsPolicy: Unsupported value: \"Mine\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"",
            "spec.preemptionPolicy: Unsupported value: \"Maybe\": supported values: \"PreemptLowerPriority\", \"Never\"",
        ],
    ),
    (
        "host ports: out of range, and taken twice",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: i, ports: [{containerPort: 70000, hostPort: -1}, {containerPort: 80, hostPort: 80}]}, {name: b, image: i, ports: [{containerPort: 81, hostPort: 80}, {hostPort: 82}]}]}}",
        &[
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            "spec.containers[0].ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
            "spec.containers[1].ports[1].containerPort: Required value",
            "spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//80\"",
        ],
    ),
    (
        "another port on the host's network",
        "{kind: Pod, metadata: {name: p}, spec: {hostNetwork: true, containers: [{name: a, image: i, ports: [{containerPort: 80, hostPort: 81}]}]}}",
        &[
            "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
        ],
    ),
    (
        "probes",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: i, readinessProbe: {periodSeconds: -1}, livenessProbe: {exec: {}, successThreshold: 2}}], initContainers: [{name: b, image: i, livenessProbe: {exec: {}}}]}}",
        &[
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
            "spec.containers[0].readinessProbe: Required value: must specify a handler type",
            "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ],
    ),
    (
        "volumes of one name, of two sources, of no claim, and a mount of none",
        "{kind: Pod, metadata: {name: p}, spec: {volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}, secret: {}}, {name: w, persistentVolumeClaim: {}}], containers: [{name: c, image: i, volumeMounts: [{name: x, mountPath: /a}, {name: v, mountPath: /a}]}]}}",
        &[
            "spec.volumes[1].secret: Forbidden: may not specify more than 1 volume type",
            "spec.volumes[1].name: Duplicate value: \"v\"",
            "spec.volumes[2].persistentVolumeClaim.claimName: Required value",
            "spec.containers[0].volumeMounts[0].name: Not found: \"x\"",
            "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique",
        ],
    ),
    (
        "tolerations",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}], tolerations: [{operator: Equal}, {key: a, operator: In}, {key: a, operator: Exists, value: b}, {key: a, effect: Never}, {key: a, effect: NoSchedule, tolerationSeconds: 1}]}}",
        &[
            "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            "spec.tolerations[1].operator: Unsupported value: \"In\": supported values: \"Equal\", \"Exists\"",
            "spec.tolerations[2].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
            "spec.tolerations[3].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"",
            "spec.tolerations[4].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set",
        ],
    ),
    (
        "node selectors",
        "{kind: Pod, metadata: {name: p}, spec: {nodeSelector: {a: b c}, containers: [{name: c, image: i}], affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Near}, {key: a, operator: In}, {key: a, operator: Exists, values: [b]}, {key: a, operator: Gt, values: ['1', '2']}], matchFields: [{key: spec.x, operator: In, values: [node-1]}]}]}}}}}",
        &[
            "spec.nodeSelector: Invalid value: \"b c\": $VALUE",
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: \"Near\": not a valid selector operator",
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[2].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[3].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: \"spec.x\": not a valid field selector key",
        ],
    ),
    (
        "weights and topology of affinity",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}], affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, podAffinityTerm: {topologyKey: zone, labelSelector: {matchExpressions: [{key: a, operator: Gt}]}}}]}}}}",
        &[
            "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100",
            "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchExpressions[0].operator: Invalid value: \"Gt\": not a valid selector operator",
        ],
    ),
    (
        "spread constraints",
        "{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}], topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}, {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, nodeTaintsPolicy: Some}, {maxSkew: 1, whenUnsatisfiable: Never}]}}",
        &[
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
            "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
            "spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{zone, ScheduleAnyway}\"",
            "spec.topologySpreadConstraints[1].nodeTaintsPolicy: Unsupported value: \"Some\": supported values: \"Honor\", \"Ignore\"",
            "spec.topologySpreadConstraints[2].topologyKey: Required value: can not be empty",
            "spec.topologySpreadConstraints[2].whenUnsatisfiable: Unsupported value: \"Never\": supported values: \"DoNotSchedule\", \"ScheduleAnyway\"",
        ],
    ),
    (
        "gates: twice, and on a node",
        "{kind: Pod, metadata: {name: p}, spec: {nodeName: node-1, containers: [{name: c, image: i}], schedulingGates: [{name: a}, {name: a}]}}",
        &[
            "spec.schedulingGates[1]: Duplicate value: \"a\"",
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ],
    ),
    (
        "metadata: name, namespace, labels, annotations, owners",
        "{kind: Pod, metadata: {name: P_1, namespace: a.b, labels: {-a: b, c: '-d'}, annotations: {e f: g}, ownerReferences: [{apiVersion: v1, kind: X, name: x}]}, spec: {containers: [{name: c, image: i}]}}",
        &[
            "metadata.name: Invalid value: \"P_1\": $SUBDOMAIN",
            "metadata.namespace: Invalid value: \"a.b\": must not contain dots",
            "metadata.labels: Invalid value: \"-a\": $NAME",
            "metadata.labels: Invalid value: \"-d\": $VALUE",
            "metadata.annotations: Invalid value: \"e f\": $NAME",
            "metadata.ownerReferences[0].uid: Invalid value: \"\": uid must not be empty",
        ],
    ),
    (
        "no name, and one that is too long",
        "{kind: Pod, metadata: {labels: {a: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg}}, spec: {containers: [{name: c, image: i}]}}",
        &[
            "metadata.name: Required value: name or generateName is required",
            "metadata.labels: Invalid value: \"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg\": must be no more than 63 bytes",
        ],
    ),
    (
        "taints",
        "{kind: Node, metadata: {name: node-1}, spec: {taints: [{key: a, value: b, effect: NoSchedule}, {key: a, effect: NoSchedule}, {key: a, effect: Never}, {key: b}]}}",
        &[
            "metadata.taints[1]: Duplicate value: core.Taint{Key:\"a\", Value:\"\", Effect:\"NoSchedule\", TimeAdded:<nil>}: taints must be unique by key and effect pair",
            "metadata.taints[2].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"",
            "metadata.taints[3].effect: Required value",
        ],
    ),
    (
        "a node of less than nothing",
        "{kind: Node, metadata: {name: node-1}, status: {capacity: {cpu: '-4'}, allocatable: {pods: 500m}}}",
        &[
            "status.capacity.cpu: Invalid value: \"-4\": must be greater than or equal to 0",
            "status.allocatable.pods: Invalid value: \"500m\": must be an integer",
        ],
    ),
    (
        "a claim of nothing",
        "{kind: PersistentVolumeClaim, metadata: {name: c}, spec: {}}",
        &[
            "spec.accessModes: Required value: at least 1 access mode is required",
            "spec.resources[storage]: Required value",
        ],
    ),
    (
        "a claim of wrong words",
        "{kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [ReadWrite, ReadWriteOnce, ReadWriteOncePod], volumeMode: Tape, storageClassName: Fast, resources: {requests: {storage: 0}}, dataSource: {kind: Image, name: x}}}",
        &[
            "spec.accessModes: Unsupported value: \"ReadWrite\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"",
            "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
            "spec.resources[storage]: Invalid value: \"0\": must be greater than zero",
            "spec.storageClassName: Invalid value: \"Fast\": $SUBDOMAIN",
            "spec.volumeMode: Unsupported value: \"Tape\": supported values: \"Block\", \"Filesystem\"",
            "spec.dataSource: Invalid value: \"Image\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ],
    ),
    (
        "a volume that is nowhere",
        "{kind: PersistentVolume, metadata: {name: v}, spec: {persistentVolumeReclaimPolicy: Keep, nodeAffinity: {}}}",
        &[
            "spec.accessModes: Required value",
            "spec.capacity: Required value",
            "spec.capacity: Unsupported value: core.ResourceList(nil): supported values: \"storage\"",
            "spec.persistentVolumeReclaimPolicy: Unsupported value: \"Keep\": supported values: \"Delete\", \"Recycle\", \"Retain\"",
            "spec.nodeAffinity.required: Required value: must specify required node constraints",
            "spec: Required value: must specify a volume type",
        ],
    ),
    (
        "a volume with processors",
        "{kind: PersistentVolume, metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {cpu: 1}, hostPath: {path: /d}}}",
        &[
            "spec.capacity: Unsupported value: core.ResourceList{\"cpu\":resource.Quantity{…}}: supported values: \"storage\"",
        ],
    ),
    (
        "a local volume without its node, which is of two sorts",
        "{kind: PersistentVolume, metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: -1Gi}, local: {path: /d}, csi: {driver: d, volumeHandle: h}}}",
        &[
            "spec.capacity[storage]: Invalid value: -1073741824: must be a valid resource quantity",
            "spec.capacity[storage]: Invalid value: \"-1Gi\": must be greater than zero",
            "spec.csi: Forbidden: may not specify more than 1 volume type",
            "spec.nodeAffinity: Required value: Local volume requires node affinity",
        ],
    ),
    (
        "a storage class",
        "{kind: StorageClass, metadata: {name: s}, volumeBindingMode: Later, reclaimPolicy: Recycle}",
        &[
            "provisioner: Required value",
            "reclaimPolicy: Unsupported value: \"Recycle\": supported values: \"Delete\", \"Retain\"",
            "volumeBindingMode: Unsupported value: \"Later\": supported values: \"Immediate\", \"WaitForFirstConsumer\"",
        ],
    ),
    (
        "a priority above the users' highest",
        "{kind: PriorityClass, metadata: {name: c}, value: 1000000001}",
        &["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    ),
    (
        "a priority of the system's name",
        "{kind: PriorityClass, metadata: {name: system-mine}, value: 1}",
        &[
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
        ],
    ),
];

/// Objects of KubeVirt and CDI.
const KUBEVIRT: &[Row] = &[
    (
        "both running and runStrategy, of an unknown word",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {running: true, runStrategy: Sometimes, template: {spec: {domain: {}}}}}",
        &[
            "spec.running: Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead",
            "spec.runStrategy: Invalid RunStrategy (Sometimes)",
        ],
    ),
    (
        "neither",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {template: {spec: {domain: {}}}}}",
        &["spec.running: RunStrategy must be specified"],
    ),
    (
        "no template",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {runStrategy: Always}}",
        &["spec.template: missing virtual machine template."],
    ),
    (
        "huge pages of no size, larger than the memory, and memory between two pages",
        "{kind: List, items: [{kind: VirtualMachine, metadata: {name: a}, spec: {runStrategy: Always, template: {spec: {domain: {memory: {guest: 1Gi, hugepages: {pageSize: many}}}}}}}, {kind: VirtualMachine, metadata: {name: b}, spec: {runStrategy: Always, template: {spec: {domain: {memory: {guest: 64Mi, hugepages: {pageSize: 1Gi}}}}}}}, {kind: VirtualMachine, metadata: {name: c}, spec: {runStrategy: Always, template: {spec: {domain: {resources: {requests: {memory: 3Mi}}, memory: {hugepages: {pageSize: 2Mi}}}}}}}]}",
        &[
            "spec.template.spec.domain.memory.hugepages.pageSize: spec.template.spec.domain.memory.hugepages.pageSize 'many': quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            "spec.template.spec.domain.resources.requests.memory: spec.template.spec.domain.resources.requests.memory '0' must be equal to or larger than page size spec.template.spec.domain.memory.hugepages.pageSize '1Gi'",
            "spec.template.spec.domain.resources.requests.memory: spec.template.spec.domain.resources.requests.memory '3Mi' is not a multiple of the page size spec.template.spec.domain.memory.hugepages.pageSize '2Mi'",
        ],
    ),
    (
        "machines that the architecture does not have",
        "{kind: List, items: [{kind: VirtualMachineInstance, metadata: {name: a}, spec: {domain: {machine: {type: virt}, memory: {guest: 1Gi}}}}, {kind: VirtualMachineInstance, metadata: {name: b}, spec: {architecture: arm64, domain: {machine: {type: q35}, memory: {guest: 1Gi}}}}, {kind: VirtualMachineInstance, metadata: {name: c}, spec: {domain: {machine: {type: pc-q35-rhel9.6.0}, memory: {guest: 1Gi}}}}]}",
        &[
            "spec.domain.machine.type: spec.domain.machine.type is not supported: virt (allowed values: [q35* pc-q35*])",
            "spec.domain.machine.type: spec.domain.machine.type is not supported: q35 (allowed values: [virt*])",
        ],
    ),
    (
        "CPUs of one's own that are not whole, not equal, counted twice, or not asked for at all",
        "{kind: List, items: [{kind: VirtualMachineInstance, metadata: {name: a}, spec: {domain: {cpu: {dedicatedCpuPlacement: true, cores: 3}, resources: {requests: {cpu: 1500m, memory: 1Gi}, limits: {cpu: 4, memory: 2Gi}}}}}, {kind: VirtualMachineInstance, metadata: {name: b}, spec: {architecture: arm64, domain: {cpu: {dedicatedCpuPlacement: true, threads: 3}, resources: {limits: {cpu: 3}}, memory: {guest: 0}}}}, {kind: VirtualMachineInstance, metadata: {name: c}, spec: {domain: {cpu: {dedicatedCpuPlacement: true}, memory: {guest: 1Gi}}}}]}",
        &[
            "spec.domain.resources.requests.cpu: provided resources CPU requests must be an interger",
            "spec.domain.resources.requests.memory: spec.domain.resources.requests.memory must be equal to spec.domain.resources.limits.memory",
            "spec.domain.cpu.dedicatedCpuPlacement: spec.domain.resources.requests.cpu or spec.domain.resources.limits.cpu must be equal when DedicatedCPUPlacement is true ",
            "spec.domain.cpu.dedicatedCpuPlacement: spec.domain.resources.requests.cpu or spec.domain.resources.limits.cpu must not be provided at the same time with spec.domain.cpu.cores when DedicatedCPUPlacement is true ",
            "spec.domain.resources.limits.memory: spec.domain.resources.requests.memory, spec.domain.resources.limits.memory, spec.domain.memory.hugepages or spec.domain.memory.guest should be provided",
            "spec.architecture: threads must not be greater than 1 at spec.domain.cpu.threads (got 3) when spec.architecture is arm64",
            "spec.domain.cpu.dedicatedCpuPlacement: Not more than two threads must be provided at spec.domain.cpu.threads (got 3) when DedicatedCPUPlacement is true",
            "spec.domain.cpu.dedicatedCpuPlacement: either spec.domain.resources.requests.cpu or spec.domain.resources.limits.cpu or spec.domain.cpu.cores must be provided when DedicatedCPUPlacement is true ",
        ],
    ),
    (
        "what goes with CPUs of one's own alone, a policy and sockets that there are not",
        "{kind: VirtualMachineInstance, metadata: {name: a}, spec: {domain: {memory: {guest: 1Gi}, cpu: {isolateEmulatorThread: true, sockets: 3, maxSockets: 2, realtime: {}, features: [{name: aes, policy: require}, {name: avx, policy: wish}]}}}}",
        &[
            "spec.domain.cpu.isolateEmulatorThread: IsolateEmulatorThread should be only set in combination with DedicatedCPUPlacement",
            "spec.domain.cpu.features[1].policy: CPU feature avx uses policy wish that is not supported.",
            "spec.domain.cpu.sockets: Number of sockets in CPU topology is greater than the maximum sockets allowed",
            "spec.domain.cpu.dedicatedCpuPlacement: spec.domain.cpu.dedicatedCpuPlacement must be set to true when spec.domain.cpu.realtime is used",
            "spec.domain.cpu.numa.guestMappingPassthrough: spec.domain.cpu.numa.guestMappingPassthrough must be defined when spec.domain.cpu.realtime is used",
        ],
    ),
    (
        "the host's NUMA nodes without CPUs and pages of one's own",
        "{kind: VirtualMachineInstance, metadata: {name: a}, spec: {domain: {memory: {guest: 1Gi}, cpu: {numa: {guestMappingPassthrough: {}}}}}}",
        &[
            "spec.domain.cpu.numa.guestMappingPassthrough: spec.domain.cpu.dedicatedCpuPlacement must be set to true when NUMA topology strategy is set in spec.domain.cpu.numa.guestMappingPassthrough",
            "spec.domain.cpu.numa.guestMappingPassthrough: spec.domain.memory.hugepages must be requested when NUMA topology strategy is set in spec.domain.cpu.numa.guestMappingPassthrough",
        ],
    ),
    (
        "a start of another sort, one that a probe would find dead, and probes of no and of two sorts",
        "{kind: List, items: [{kind: VirtualMachineInstance, metadata: {name: a}, spec: {startStrategy: Fast, readinessProbe: {}, domain: {memory: {guest: 1Gi}}}}, {kind: VirtualMachineInstance, metadata: {name: b}, spec: {startStrategy: Paused, livenessProbe: {guestAgentPing: {}, exec: {command: [a]}}, domain: {memory: {guest: 1Gi}}}}]}",
        &[
            "spec.startStrategy: spec.startStrategy is set with an unrecognized option: Fast",
            "spec.readinessProbe: either spec.readinessProbe.tcpSocket, spec.readinessProbe.exec or spec.readinessProbe.httpGet must be set if a spec.readinessProbe is specified",
            "spec.startStrategy: either spec.startStrategy or spec.livenessProbe should be provided.Pausing VMI with LivenessProbe is not supported",
            "spec.livenessProbe: spec.livenessProbe must have exactly one probe type set",
        ],
    ),
    (
        "a disk without a volume and a volume without a disk",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {runStrategy: Always, template: {spec: {domain: {devices: {disks: [{name: root}]}}, volumes: [{name: data, emptyDisk: {capacity: 1Gi}}]}}}}",
        &[
            "spec.template.spec.domain.devices.disks[0].name: spec.template.spec.domain.devices.disks[0].Name 'root' not found.",
            "spec.template.spec.domain.volumes[0].name: spec.template.spec.domain.volumes[0].name 'data' not found.",
        ],
    ),
    (
        "two disks and two volumes of one name, of no source",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {runStrategy: Always, template: {spec: {domain: {devices: {disks: [{name: a, disk: {bus: ide}}, {name: a, disk: {}, lun: {}}]}}, volumes: [{name: a, emptyDisk: {}}, {name: a}]}}}}",
        &[
            "spec.template.spec.domain.devices.disks[1].name: spec.template.spec.domain.devices.disks[1] and spec.template.spec.domain.devices.disks[0] must not have the same Name.",
            "spec.template.spec.domain.devices.disks[0].disk.bus: IDE bus is not supported",
            "spec.template.spec.domain.devices.disks[1]: spec.template.spec.domain.devices.disks[1] can only have a single target type defined",
            "spec.template.spec.volumes[1].name: spec.template.spec.volumes[1] and spec.template.spec.volumes[0] must not have the same Name.",
            "spec.template.spec.volumes[1]: spec.template.spec.volumes[1] must have exactly one source type set",
        ],
    ),
    (
        "memory and CPU below nothing",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {runStrategy: Always, template: {spec: {domain: {memory: {guest: -1Gi}, resources: {requests: {memory: -64Mi, cpu: -1}, limits: {memory: -1, cpu: -2}}}}}}}",
        &[
            "spec.template.spec.domain.resources.requests.memory: spec.template.spec.domain.resources.requests.memory '-64Mi': must be greater than or equal to 0.",
            "spec.template.spec.domain.resources.limits.memory: spec.template.spec.domain.resources.limits.memory '-1': must be greater than or equal to 0.",
            "spec.template.spec.domain.memory.guest: spec.template.spec.domain.memory.guest '-1Gi': must be greater than or equal to 0.",
            "spec.template.spec.domain.resources.requests.cpu: spec.template.spec.domain.resources.requests.cpu '-1': must be greater than or equal to 0.",
            "spec.template.spec.domain.resources.limits.cpu: spec.template.spec.domain.resources.limits.cpu '-2': must be greater than or equal to 0.",
        ],
    ),
    (
        "requests above limits; a guest may be above them",
        "{kind: VirtualMachineInstance, metadata: {name: v}, spec: {domain: {memory: {guest: 1Gi}, resources: {requests: {memory: 64M, cpu: 2}, limits: {memory: 32Mi, cpu: 1}}}}}",
        &[
            "spec.domain.resources.requests.memory: spec.domain.resources.requests.memory '64M' is greater than spec.domain.resources.limits.memory '32Mi'",
            "spec.domain.resources.requests.cpu: spec.domain.resources.requests.cpu '2' is greater than spec.domain.resources.limits.cpu '1'",
        ],
    ),
    (
        "an instance without memory, with a bad host name",
        "{kind: VirtualMachineInstance, metadata: {name: v}, spec: {hostname: A, evictionStrategy: Never, domain: {}}}",
        &[
            "spec.hostname: spec.hostname does not conform to the kubernetes DNS_LABEL rules : $LABEL",
            "spec.evictionStrategy: spec.evictionStrategy is set with an unrecognized option: Never",
            "spec.domain: no memory requested, at least one of 'spec.domain.memory.guest', 'spec.domain.memory.hugepages.size' or 'spec.domain.resources.requests.memory' must be set",
        ],
    ),
    (
        "a template with a reserved label, and more sockets than it may have, which two rules say",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {runStrategy: Always, template: {metadata: {labels: {kubevirt.io/created-by: me}}, spec: {domain: {cpu: {sockets: 4, maxSockets: 2}}}}}}",
        &[
            "spec.template.metadata.labels: creation of the following reserved kubevirt.io/ labels on a VMI object is prohibited",
            "spec.template.spec.domain.cpu.sockets: Number of sockets in CPU topology is greater than the maximum sockets allowed",
            "spec.template.spec.domain.cpu.sockets: Number of sockets in CPU topology is greater than the maximum sockets allowed",
        ],
    ),
    (
        "templates of DataVolumes: no name, not used, no target",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {runStrategy: Always, template: {spec: {domain: {}}}, dataVolumeTemplates: [{spec: {}}, {metadata: {name: b, namespace: other}, spec: {storage: {}, source: {blank: {}}}}, {metadata: {name: c}, spec: {}}]}}",
        &[
            "spec.dataVolumeTemplate[0].name: 'name' field must not be empty for DataVolumeTemplate entry spec.dataVolumeTemplate[0].name.",
            "spec.dataVolumeTemplate[1]: DataVolumeTemplate entry spec.dataVolumeTemplate[1] must be referenced in the VMI template's 'volumes' list",
            "spec.dataVolumeTemplate[2].PVC.Storage: Missing Data volume PVC or Storage",
            "spec.dataVolumeTemplates[1]: Embedded DataVolume namespace other differs from VM namespace default",
        ],
    ),
    (
        "a DataVolume of two sources",
        "{kind: DataVolume, metadata: {name: d}, spec: {storage: {resources: {requests: {storage: 1Gi}}}, source: {blank: {}, http: {url: 'http://a'}}}}",
        &["spec.source: Multiple Data volume sources"],
    ),
    (
        "a DataVolume of no size",
        "{kind: DataVolume, metadata: {name: d}, spec: {pvc: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}}, source: {blank: {}}}}",
        &["spec.PVC.resources.requests.size: PVC size can't be equal or less than zero"],
    ),
    (
        "a DataVolume of a mode that is none",
        "{kind: DataVolume, metadata: {name: d}, spec: {pvc: {accessModes: [Write], resources: {requests: {storage: 1Gi}}}, source: {blank: {}}}}",
        &[
            "spec.PVC.accessModes: Unsupported value: \"Write\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\"",
        ],
    ),
    (
        "a DataVolume of no source",
        "{kind: DataVolume, metadata: {name: d}, spec: {storage: {resources: {requests: {storage: 1Gi}}}, contentType: tape}}",
        &["spec.source: Data volume should have either Source, SourceRef, or be externally populated"],
    ),
];

fn messages(text: &str) -> Vec<String> {
    let document = &manifest::parse("x.yaml", text.as_bytes()).expect("a document")[0];
    let one = std::slice::from_ref(&document.value);
    let objects = document.value["items"].as_array().map_or(one, Vec::as_slice);
    objects.iter().flat_map(validation::validate).map(|error| error.to_string()).collect()
}

fn check(rows: &[Row]) {
    for (why, text, expected) in rows {
        let texts =
            [("$LABEL", LABEL), ("$SUBDOMAIN", SUBDOMAIN), ("$VALUE", LABEL_VALUE), ("$NAME", NAME_PART)];
        let fill = |message: &&str| {
            texts.iter().fold(message.to_string(), |all, (name, text)| all.replace(name, text))
        };
        let expected: Vec<String> = expected.iter().map(fill).collect();
        assert_eq!(messages(text), expected, "{why}");
    }
}

#[test]
fn the_api_server_refuses_in_its_own_words() {
    check(KUBERNETES);
}

#[test]
fn webhooks_refuse_in_their_own_words() {
    check(KUBEVIRT);
}

#[test]
fn what_is_not_known_passes() {
    let texts = [
        "{kind: Deployment, metadata: {name: -x}, spec: {replicas: -1}}",
        "{kind: Pod, metadata: {name: p, mine: 1}, spec: {containers: [{name: c, image: i, mine: {a: -1}}], theirs: []}}",
        "{kind: VirtualMachine, metadata: {name: v}, spec: {runStrategy: Always, mine: x, template: {spec: {domain: {}, theirs: 1}}}}",
    ];
    for text in texts {
        assert_eq!(messages(text), [""; 0], "{text}");
    }
}

/// The vectors' objects went through the real API's defaults; what they have in common is that they are valid.
#[test]
fn what_the_real_scheduler_was_given_is_accepted() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/schedule/fit.jsonl.gz");
    let file = std::fs::File::open(file).expect("the project's own copy");
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("text");
    let mut objects = 0;
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).expect("a case");
        for object in case["objects"].as_array().expect("objects") {
            assert_eq!(validation::validate(object), [], "{}", case["id"]);
            objects += 1;
        }
    }
    assert!(objects > 500, "{objects} objects");
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut cluster = stuckvm_sim::Cluster::new(stuckvm_sim::Config::default());
    let object = |text: &str| {
        let document = &manifest::parse("x.yaml", text.as_bytes()).unwrap()[0];
        Object::from_value(&document.value).unwrap().unwrap()
    };
    let node = "{kind: Node, metadata: {name: node-1}, status: {capacity: {cpu: 4}}}";
    let id = cluster.apply_manifest(&object(node)).expect("a good node");
    let bad = serde_json::json!({"spec": {"taints": [{"key": "a", "effect": "Never"}]}});
    let message = "Node \"node-1\" is invalid: metadata.taints[0].effect: Unsupported value: \"Never\": supported values: \
                   \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"";
    assert_eq!(cluster.merge_patch(id, &bad).unwrap_err().to_string(), message);
    let (_, Object::Node(node)) = cluster.find(stuckvm_sim::Kind::Node, "", "node-1").unwrap() else {
        panic!("a node")
    };
    assert!(!node.spec.taints.iter().any(|taint| taint.key == "a"));
    let twice = object("{kind: Node, metadata: {name: M, labels: {a: -b}}}");
    let refused = cluster.apply_manifest(&twice).unwrap_err().to_string();
    assert!(
        refused.starts_with("Node \"M\" is invalid: [metadata.name: Invalid value: \"M\": a lower"),
        "{refused}"
    );
    assert!(cluster.find(stuckvm_sim::Kind::Node, "", "M").is_none());
}
