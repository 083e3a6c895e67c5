"""The Kubernetes manifests, structurally: there is no cluster, nor its schemas, where these tests run."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import yaml

from cli.run import SERVICES
from shared.runtime.settings import PREFIX, Settings
from tests.support.paths import ROOT

HERE = ROOT / "deploy/kubernetes"
BASE = yaml.safe_load((HERE / "kustomization.yaml").read_text())["resources"]
KNOWN = {PREFIX + item.name.upper() for item in dataclasses.fields(Settings)}
VERSIONS = {
    "ConfigMap": "v1", "Service": "v1", "Deployment": "apps/v1", "Job": "batch/v1", "PodDisruptionBudget": "policy/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2", "NetworkPolicy": "networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1", "ScaledObject": "keda.sh/v1alpha1",
}  # fmt: skip
NAME = "app.kubernetes.io/name"
ROUTES = {"/livez", "/readyz"}
PORTS = {"webhook-receiver": 8101, "sync-worker": 8104, "room-status": 8104, "notifier": 8104, "portal": 8102}


def manifests(*paths: str) -> list[dict[str, Any]]:
    return [one for path in paths for one in yaml.safe_load_all((HERE / path).read_text())]


ALL = manifests(*BASE, "keda/workers.yaml")


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in ALL if one["kind"] == kind}


def pod_of(one: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = one["spec"]["template"]["spec"]
    return spec


PODS = {**of("Deployment"), **of("Job")}


def test_every_file_is_part_of_the_base_or_of_a_component() -> None:
    assert {path.name for path in HERE.glob("*.yaml")} == {*BASE, "kustomization.yaml"}
    component = yaml.safe_load((HERE / "keda/kustomization.yaml").read_text())
    assert (component["kind"], component["resources"]) == ("Component", ["workers.yaml"])


def test_what_the_controller_of_the_ingress_is_given_is_for_its_own_namespace() -> None:
    [controller] = manifests("ingress-nginx/controller.yaml")

    assert (controller["apiVersion"], controller["kind"]) == ("v1", "ConfigMap")
    assert controller["metadata"] == {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"}
    assert {type(value) for value in controller["data"].values()} == {str}, "a config map holds nothing else"


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one['kind']}/{one['metadata']['name']}")
def test_a_manifest_has_the_version_of_its_kind(one: dict[str, Any]) -> None:
    assert one["apiVersion"] == VERSIONS[one["kind"]]
    assert "spec" in one or one["kind"] == "ConfigMap"


def test_no_two_manifests_have_one_name() -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in ALL]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("service", SERVICES)
def test_selectors_find_their_pods(service: str) -> None:
    deployment = of("Deployment")[service]
    labels = deployment["spec"]["template"]["metadata"]["labels"]

    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert of("PodDisruptionBudget")[service]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    if service in of("Service"):
        assert of("Service")[service]["spec"]["selector"].items() <= labels.items()
    for spread in pod_of(deployment)["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("service", SERVICES)
def test_probes_and_services_meet_the_ports_that_are_listened_on(service: str) -> None:
    (container,) = pod_of(of("Deployment")[service])["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    assert set(ports.values()) == {PORTS[service]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in ROUTES
        assert asked["port"] in ports
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    annotations = of("Deployment")[service]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(PORTS[service])
    for port in of("Service").get(service, {"spec": {"ports": []}})["spec"]["ports"]:
        assert port["targetPort"] in ports


@pytest.mark.parametrize("name", PODS)
def test_a_pod_can_write_nothing_and_become_nobody(name: str) -> None:
    pod = pod_of(PODS[name])
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", PODS)
def test_a_new_deployment_refuses_what_is_bound_to_no_place(name: str) -> None:
    (container,) = pod_of(PODS[name])["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": "roomsync"}}]
    assert of("ConfigMap")["roomsync"]["data"]["ROOMSYNC_UNBOUND_ROWS"] == "refuse"


def test_no_token_that_reads_all_organisations_is_handed_over() -> None:
    assert not [path.name for path in HERE.rglob("*.yaml") if "service-token" in path.read_text()]
    assert not [path.name for path in HERE.rglob("*.yaml") if "SERVICE_TOKEN" in path.read_text()]


@pytest.mark.parametrize("name", PODS)
def test_every_setting_exists_and_secrets_are_referred_to(name: str) -> None:
    (container,) = pod_of(PODS[name])["containers"]

    assert of("ConfigMap")["roomsync"]["data"].keys() <= KNOWN
    assert not any(word in key for key in of("ConfigMap")["roomsync"]["data"] for word in ("SECRET", "TOKEN", "MASTER"))
    for variable in container.get("env", ()):
        assert variable["name"] in KNOWN
        assert {"name", "key"} <= variable["valueFrom"]["secretKeyRef"].keys()


def test_the_receiver_is_given_no_secret_but_the_keys_of_hooks() -> None:
    (container,) = pod_of(of("Deployment")["webhook-receiver"])["containers"]

    assert [variable["name"] for variable in container["env"]] == ["ROOMSYNC_HOOK_KEYS"]


def test_the_ingress_exposes_hooks_and_pages_and_nothing_else() -> None:
    (rule,) = of("Ingress")["roomsync"]["spec"]["rules"]
    paths = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}

    assert [path for path, service in paths.items() if service == "webhook-receiver"] == ["/hooks/"]
    assert set(paths.values()) == {"webhook-receiver", "portal"}  # which of its pages: test_doors
    assert set(paths.values()) <= of("Service").keys()


def test_everything_is_forbidden_that_no_policy_names() -> None:
    nothing = of("NetworkPolicy")["nothing"]["spec"]

    assert set(nothing["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in nothing
    assert "egress" not in nothing
    for policy in of("NetworkPolicy").values():
        chosen = policy["spec"]["podSelector"].get("matchExpressions", [])
        for expression in chosen:
            assert set(expression["values"]) <= PODS.keys()
    (stores,) = of("NetworkPolicy")["to-redis"]["spec"]["podSelector"]["matchExpressions"]
    assert "webhook-receiver" not in stores["values"]


def test_scalers_have_targets_and_workers_never_outgrow_their_partitions() -> None:
    partitions = int(of("ConfigMap")["roomsync"]["data"]["ROOMSYNC_PARTITIONS"])

    for scaler in of("HorizontalPodAutoscaler").values():
        assert scaler["spec"]["scaleTargetRef"]["name"] in of("Deployment")
    assert of("ScaledObject").keys() == {"sync-worker", "room-status"}
    for name, scaler in of("ScaledObject").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert scaler["spec"]["maxReplicaCount"] <= partitions
        assert "roomsync_lag_records" in scaler["spec"]["triggers"][0]["metadata"]["query"]
