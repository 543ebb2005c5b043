"""The execution of a plan: checks, masters, pass 1, registration, pass 2, record.

The way of a pixel is told in docs/architecture.md; here the steps only follow each other.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from lightframe._version import __version__
from lightframe.checks import Finding, Group, SessionEvidence, Severity
from lightframe.errors import InputError, LightframeError, UnreadableFileError
from lightframe.frames import FrameInfo, FrameKind, kind_from_path, write_text
from lightframe.processes import Defects
from lightframe.session._added_noise import record_added_noise, with_measured_noise
from lightframe.session._alignment import AlignedLight, align
from lightframe.session._calibrating import Master
from lightframe.session._check import gather_evidence, judge_all
from lightframe.session._context import Context
from lightframe.session._hashes import file_hash
from lightframe.session._journal import Journal
from lightframe.session._json_values import plain
from lightframe.session._judging import Field, judge_lights
from lightframe.session._keep import keep_before_registration, names_of
from lightframe.session._light_weights import weighable
from lightframe.session._lights import MeasuredLight, light_record, measure_lights, treatments
from lightframe.session._masters import build_masters
from lightframe.session._outcome import Outcome
from lightframe.session._plan_types import LightGroup, Plan
from lightframe.session._records import unknown_light
from lightframe.session._result_ledger import ResultLedger, marks
from lightframe.session._results import integrate_group, result_path
from lightframe.session._sets import same_name
from lightframe.session._warm_up import warm_up

__all__ = ["Execution"]

_NO_RESULT = 3


class Execution:
    """The state of one run: a plan, and what has been made of it so far."""

    def __init__(self, plan: Plan, frames: Iterable[FrameInfo], context: Context) -> None:
        self.plan = plan
        self.infos = {info.path: info for info in frames}
        self.context = context
        self.lights: dict[Path, dict[str, Any]] = {}
        self.results: list[dict[str, Any]] = []
        self.dark_defects: dict[str | None, Defects] = {}
        self.findings: list[Finding] = list(plan.findings)
        self.notes: list[str] = []
        self.ledger = ResultLedger(context.out, context.own)
        context.names.update(names_of(path for group in plan.groups for path in group.frames))

    def execute(self, paths: Sequence[Path]) -> Outcome:
        """Carry out the plan and write run.json."""
        context = self.context
        with context.meter.step("compiling"):
            self._warm_up()
        if context.settings.check_pixels:
            self._check_pixels()
        self._hash_the_rest()
        masters = build_masters(self.plan.masters, self.infos, context)
        for field in _fields(self.plan.groups):
            self._integrate_field(field, masters)
        with context.meter.step("waiting"):
            context.beside.finish()
        self._add_unused()
        self._report_exclusions()
        self._tell_of_earlier_files()
        self.findings = with_measured_noise(self.findings, self.plan, masters.values())
        document = plain(self._document(paths, [master.record for master in masters.values()]))
        text = json.dumps(document, indent=1, allow_nan=False)
        write_text(context.out / "run.json", text)
        failed = any(finding.severity is Severity.ERROR for finding in self.findings)
        missing = bool(self.plan.groups) and not self.results
        return Outcome(document, _NO_RESULT if missing else int(failed))

    def _check_pixels(self) -> None:
        """Look at the raw pixels, and let them be judged while masters are made.

        Files are hashed in the same go.
        """
        context = self.context
        used = self.plan.used_frames()

        def hash_used(path: Path) -> None:
            if path in used:
                context.hashes[path] = file_hash(path)

        with context.meter.step("checks"):
            evidence = gather_evidence(
                self.infos.values(),
                self.plan,
                context.settings.check,
                progress=context.progress,
                threads=context.threads,
                cache=context.own / "evidence",
                visit=hash_used,
            )
        context.do_beside("judging raw pixels", partial(self._judge_pixels, evidence))

    def _judge_pixels(self, evidence: SessionEvidence) -> None:
        """Let the findings of raw pixels join those of the plan."""
        self.findings = list(judge_all(self.plan, evidence))

    def _hash_the_rest(self) -> None:
        """Hash what was not hashed on the way; what cannot be read to its end is set aside."""
        context = self.context
        left = sorted(self.plan.used_frames() - context.hashes.keys())

        def work(path: Path) -> None:
            try:
                context.hashes[path] = file_hash(path)
            except UnreadableFileError as error:
                context.exclude(path, error.what)

        if left:
            with (
                context.meter.step("checksums"),
                context.progress.step("Checksums", 1),
                ThreadPoolExecutor(context.threads) as pool,
            ):
                list(pool.map(work, left))

    def _warm_up(self) -> None:
        """Compile what the lights need, unless that has been done."""
        for group in self.plan.groups[:1]:
            warm_up(self.infos[group.frames[0]].cfa, self.context.progress)

    def _integrate_field(self, groups: Sequence[LightGroup], masters: Mapping[str, Any]) -> None:
        """Make the results of all groups that show the same field on one grid."""
        measured = self._measure(groups, masters)
        try:
            self._integrate_measured(groups, measured, masters)
        finally:
            for light in measured:
                light.raw.close()

    def _measure(
        self, groups: Sequence[LightGroup], masters: Mapping[str, Any]
    ) -> list[MeasuredLight]:
        """Calibrate and measure the lights of a field."""
        context = self.context
        measured: list[MeasuredLight] = []
        for group in groups:
            with context.meter.step("pass 1"):
                try:
                    prepared = treatments(group, self.infos, masters, self.dark_defects, context)
                except LightframeError as error:
                    self._give_up(group, error)
                    continue
                lights = measure_lights(group.name, group.frames, self.infos, prepared, context)
                for light in lights:
                    keep_before_registration(light, context)
                    self.lights[light.info.path] = light_record(light)
                measured += lights
        return measured

    def _integrate_measured(
        self,
        groups: Sequence[LightGroup],
        measured: Sequence[MeasuredLight],
        masters: Mapping[str, Any],
    ) -> None:
        """Register the lights of a field, judge them, and integrate each group."""
        context = self.context
        with context.meter.step("waiting"):
            context.beside.finish()  # the judging of lights asks what was found in raw pixels
        with context.meter.step("registration"):
            aligned = {light.light.info.path: light for light in align(measured, context)}
        judge = partial(self._judge_lights, Field(groups, measured, aligned), masters)
        context.do_beside("judging lights", judge)
        reference = next((light for light in aligned.values() if light.is_reference), None)
        if reference is None:
            return
        calibration = reference.light.treatment.calibration
        for group in groups:
            members = weighable(
                [aligned[path] for path in group.frames if path in aligned], context
            )
            if members:
                with context.meter.step("pass 2"):
                    self._integrate(
                        group, members, (calibration.height, calibration.width), masters
                    )

    def _judge_lights(self, field: Field, masters: Mapping[str, Any]) -> None:
        """Add what calibrated lights tell."""
        self.findings += judge_lights(field, masters, self.plan, self.findings, self.context)

    def _integrate(
        self,
        group: LightGroup,
        members: Sequence[AlignedLight],
        grid: tuple[int, int],
        masters: Mapping[str, Master],
    ) -> None:
        marked = self._marks(light.light.info.path for light in members)
        place = self.context.relative(result_path(group, self.context))
        self.notes += self.ledger.make_way(place, marked)
        try:
            result, parts = integrate_group(group, members, grid, self.context)
        except InputError as error:
            self.context.beside.finish()  # what has gone wrong there is no fault of the group
            self._give_up(group, error)
            return
        self.results.append(result)
        self.context.beside.finish()
        self.ledger.remember(result, marked)
        limit = self.context.settings.match.master_noise_percent / 100
        record_added_noise(group, members, parts, masters, limit)
        for aligned, part in zip(members, parts, strict=True):
            path = aligned.light.info.path
            self.lights[path] |= part | {"used": True, "reason": "", "group": group.name}

    def _give_up(self, group: LightGroup, error: LightframeError) -> None:
        """Set a whole group aside; the others go on."""
        for path in group.frames:
            self.context.exclude(path, str(error.what))

    def _add_unused(self) -> None:
        """Give every light that is not in a result its entry and its reason."""
        reasons = {item.path: item.reason for item in self.context.exclusions}
        for group in self.plan.groups:
            for path in group.frames:
                entry = self.lights.setdefault(
                    path, unknown_light(path, self.infos[path].exposure_s)
                )
                if not entry.get("used"):
                    reason = reasons.get(path, "no light of its group could be integrated")
                    entry |= {"used": False, "reason": reason, "group": group.name}
                    entry |= dict.fromkeys(("transform", "weight", "rejected_fraction"))
                    entry["reference"] = False
        for refusal in self.plan.refused:
            # A file that cannot be read may be a light unless its name says otherwise.
            if kind_from_path(refusal.path).kind in {FrameKind.LIGHT, None}:
                self.lights[refusal.path] = unknown_light(refusal.path, None) | {
                    "used": False,
                    "reason": refusal.reason,
                    "group": None,
                    "reference": False,
                }

    def _report_exclusions(self) -> None:
        """Report frames that turned out unusable while they were worked on, and not before."""
        lights = {path for group in self.plan.groups for path in group.frames}
        known = {
            path
            for finding in self.findings
            if finding.rule == "unreadable-file" or "saturated_fraction" in finding.evidence
            for path in finding.frames
        }
        for item in self.context.exclusions:
            if item.path in known:
                continue
            light = item.path in lights
            self.findings.append(
                Finding(
                    rule="bad-light" if light else "unreadable-file",
                    severity=Severity.WARNING if light else Severity.ERROR,
                    group=Group.ACQUISITION,
                    frames=(item.path,),
                    message=f"{item.path.name} was set aside: {item.reason}",
                    remedy="look at the frame, and leave it out or take it again",
                )
            )

    def _tell_of_earlier_files(self) -> None:
        """Set aside results that others replace, name what stays, and masters that are not used.

        Those masters stay: a later run takes them up again if its plan has them.
        """
        context = self.context
        lights = self._marks(path for group in self.plan.groups for path in group.frames)
        made = {result["path"] for result in self.results}
        planned = {context.relative(result_path(group, context)) for group in self.plan.groups}
        self.notes += self.ledger.set_aside(made, planned - made, lights)
        names = {job.name for job in self.plan.masters}
        if unused := Journal(context.own).others(names, context.out):
            self.notes.append(
                f"masters of earlier runs that this one has no use for stay: {', '.join(unused)}"
            )
        for note in self.notes:
            context.progress.message(note)

    def _marks(self, lights: Iterable[Path]) -> set[str]:
        hashes = self.context.hashes
        return {mark for path in lights for mark in marks(self.infos[path], hashes.get(path))}

    def _document(self, paths: Sequence[Path], masters: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the content of run.json."""
        return {
            "version": __version__,
            "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "inputs": [str(path) for path in paths],
            "findings": [finding.as_dict() for finding in self.findings],
            "masters": list(masters),
            "lights": [self.lights[path] for path in sorted(self.lights)],
            "results": self.results,
            "notes": self.notes,
            "plan": self.plan.as_dict(),
            "settings": self.context.settings.model_dump(mode="json"),
            "resources": self.context.meter.as_dict(),
        }


def _fields(groups: Sequence[LightGroup]) -> list[list[LightGroup]]:
    """Gather the groups that show the same object through different filters of one camera."""
    fields: dict[tuple[Any, ...], list[LightGroup]] = defaultdict(list)
    for group in groups:
        name = same_name(group.object) or group.name
        fields[name, group.camera, group.height, group.width, group.binning].append(group)
    return list(fields.values())
