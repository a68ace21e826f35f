//! Virtual machines whose vCPUs have CPUs of their own, KubeVirt main of August 2026: `validateCpuPinning` and what it calls in
//! `vmi-create-admitter.go`.

use super::field::Field;
use super::field_error::Errors;
use super::vm_hardware::whole;
use crate::objects::Cpu;

/// What is asked for, in the fields' words and in whole units.
struct Asked<'a> {
    domain: &'a Field<'a>,
    requests: Field<'a>,
    limits: Field<'a>,
    cpu: Field<'a>,
}

/// CPUs of one's own are whole, and asked for in one way; the memory is given.
pub(super) fn dedicated_cpus(spec: &Field<'_>, errors: &mut Errors) {
    let domain = spec.child("domain");
    let resources = domain.child("resources");
    let [requests, limits] = ["requests", "limits"].map(|name| resources.child(name));
    let asked = Asked { domain: &domain, requests, limits, cpu: domain.child("cpu") };
    if asked.cpu.child("dedicatedCpuPlacement").is_true() {
        memory_is_given(&asked, errors);
        whole_cpus(&asked.requests, "requests", errors);
        whole_cpus(&asked.limits, "limits", errors);
        equal_memory(&asked, errors);
        cpus(&asked, errors);
        threads(spec, &asked.cpu, errors);
    }
}

fn memory_is_given(asked: &Asked<'_>, errors: &mut Errors) {
    let memory = asked.domain.child("memory");
    let (request, limit) = (asked.requests.child("memory"), asked.limits.child("memory"));
    let (pages, guest) = (memory.child("hugepages"), memory.child("guest"));
    let given =
        [&request, &limit, &guest].iter().any(|amount| amount.quantity().is_some_and(|of| !of.is_zero()));
    if !given && !pages.is_set() {
        let [request, most, pages, guest] = [&request, &limit, &pages, &guest].map(Field::path);
        errors.cause(&limit, format!("{request}, {most}, {pages} or {guest} should be provided"));
    }
}

/// Spelled so upstream.
fn whole_cpus(at: &Field<'_>, list: &str, errors: &mut Errors) {
    let cpus = at.child("cpu");
    let odd = |amount: &crate::quantity::Quantity| {
        amount.value() > 0 && amount.value().wrapping_mul(1000) != amount.milli_value()
    };
    if cpus.quantity().is_some_and(|amount| odd(&amount)) {
        errors.cause(&cpus, format!("provided resources CPU {list} must be an interger"));
    }
}

fn equal_memory(asked: &Asked<'_>, errors: &mut Errors) {
    let (request, limit) = (asked.requests.child("memory"), asked.limits.child("memory"));
    let amounts = [whole(&request), whole(&limit)];
    if amounts.iter().all(|amount| *amount > 0) && amounts[0] != amounts[1] {
        errors.cause(&request, format!("{} must be equal to {}", request.path(), limit.path()));
    }
}

fn cpus(asked: &Asked<'_>, errors: &mut Errors) {
    let (request, limit) = (asked.requests.child("cpu"), asked.limits.child("cpu"));
    let (cores, dedicated) = (asked.cpu.child("cores"), asked.cpu.child("dedicatedCpuPlacement"));
    let [requested, most] = [whole(&request), whole(&limit)];
    let vcpus = vcpus(&asked.cpu);
    let [request, limit, cores] = [request, limit, cores].map(|field| field.path());
    let always = "when DedicatedCPUPlacement is true ";
    if requested == 0 && most == 0 && vcpus == 0 {
        let message = format!("either {request} or {limit} or {cores} must be provided {always}");
        errors.cause(&dedicated, message);
    }
    if requested > 0 && most > 0 && requested != most {
        errors.cause(&dedicated, format!("{request} or {limit} must be equal {always}"));
    }
    let counted = (requested > 0 || most > 0) && vcpus > 0;
    if counted && requested != vcpus && most != vcpus {
        let message =
            format!("{request} or {limit} must not be provided at the same time with {cores} {always}");
        errors.cause(&dedicated, message);
    }
}

fn threads(spec: &Field<'_>, cpu: &Field<'_>, errors: &mut Errors) {
    let (threads, dedicated) = (cpu.child("threads"), cpu.child("dedicatedCpuPlacement"));
    let (number, path) = (threads.number().unwrap_or(0), threads.path());
    let architecture = spec.child("architecture");
    if number > 1 && architecture.text() == "arm64" {
        let shown = architecture.path();
        let message =
            format!("threads must not be greater than 1 at {path} (got {number}) when {shown} is arm64");
        errors.cause(&architecture, message);
    }
    if number > 2 {
        let message = format!(
            "Not more than two threads must be provided at {path} (got {number}) when DedicatedCPUPlacement is true"
        );
        errors.cause(&dedicated, message);
    }
}

fn vcpus(cpu: &Field<'_>) -> i64 {
    let count = |name| cpu.child(name).number().and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    let [cores, sockets, threads] = ["cores", "sockets", "threads"].map(count);
    Cpu { cores, sockets, threads, ..Cpu::default() }.vcpus()
}
