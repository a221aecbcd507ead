"""The reports as pages: one file, all figures, names escaped."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from bdgf.bdgf_qgis.raster.samples.label_split import ClassCounts
from bdgf.bdgf_qgis.report.accuracy_tables import add_accuracy
from bdgf.bdgf_qgis.report.assessment import AssessmentReport
from bdgf.bdgf_qgis.report.curves import charts
from bdgf.bdgf_qgis.report.page import Page
from bdgf.bdgf_qgis.report.reliability import Reliability
from bdgf.bdgf_qgis.report.training import TrainingReport
from bdgf.model.shared.accuracy import accuracy_of
from bdgf.model.shared.events import Curve
from bdgf.model.shared.header import Header
from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.settings import PRESETS

CLASSES = (ClassInfo(1, "Water", "#0000ff"), ClassInfo(2, "<b>Soil</b>", "#a52a2a"), ClassInfo(9, "Snow", "#ffffff"))
CONFUSION = ((8, 2, 0), (1, 9, 0), (0, 0, 0))
MODALITIES = (ModalityInfo("optical", ("b1", "b2"), "uint16"), ModalityInfo("dsm", ("Band 1",), "float32"))


class Balance(HTMLParser):
    """Fails on a tag that is closed without being open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(html: str) -> str:
    balance = Balance()
    balance.feed(html)
    assert not balance.open and not balance.links
    assert "<script" not in html and "<b>Soil" not in html
    return html


def words(html: str) -> str:
    """The text of a page, cell by cell."""
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " | ".join(each for each in re.sub(r"<[^>]*>", "\n", body).split("\n") if each.strip())


def training(confusion=CONFUSION, curves=(), partial=False) -> TrainingReport:
    scene = SceneInfo("", (2.0, 2.0), (300, 400))
    header = Header(1, "classifier", "0.1.0", MODALITIES, scene, CLASSES, PRESETS["quick"], 7, "ab" * 32, confusion, ())
    counts = [ClassCounts(12, 350, 3, 80)] * 3
    return TrainingReport("m.safetensors", header, counts, ["They cover 2 of 3."], ["One & only."], curves, partial)


def test_training_page_tells_accuracy_samples_and_settings():
    text = words(checked(training().html()))
    for wanted in ("52% to 97%", "85%", "0.70", "80%", "89%", "84%", "They cover 2 of 3.", "One &amp; only."):
        assert wanted in text, wanted
    for wanted in ("optical", "bands: 2, uint16", "400 x 300 pixels of 2 x 2", "quick", "ab" * 32, "350"):
        assert wanted in text, wanted


@pytest.mark.parametrize(
    ("right", "polygons", "basis", "figures"),
    [
        (
            4,
            (1, 0, 0),
            "Overall accuracy between 0.21 and 1.00 (95 % interval from 1 polygon of 1 of 3 classes): too",
            [],
        ),
        (
            4,
            (2, 1, 0),
            "between 0.44 and 1.00 (95 % interval from 3 polygons of 2 of 3 classes, as",
            [": too few to say."],
        ),
        (
            9990,
            (9000, 9000, 2000),
            "0.999 and 1.000 (95 % interval from 20000",
            ["Overall accuracy 0.999, average 1.000"],
        ),
    ],
)
def test_figures_bear_the_digits_of_their_polygons(right, polygons, basis, figures):
    confusion = ((right, 0, 0), (10 if right > 4 else 0, right if right > 4 else 0, 0), (0, 0, 0))
    reliability = Reliability(accuracy_of(confusion), polygons)
    said = " ".join(reliability.sentences)
    assert basis in said and all(each in said for each in figures)
    page = Page("x")
    add_accuracy(page, CLASSES, confusion, reliability)
    text = words(page.html())
    assert text.index(basis) < text.index("overall accuracy")
    assert ("kappa" in text) is (not reliability.too_few) and ("100.0%" in text) is (right > 4)


def test_training_page_without_hold_out_says_so():
    for confusion in ((), ((0, 0, 0),) * 3):
        text = words(checked(training(confusion).html()))
        assert "No polygon was held out" in text and "kappa" not in text


def test_a_partial_training_is_marked():
    text = words(checked(training((), partial=True).html()))
    assert "cancelled" in text and "without accuracy figures" in text
    assert "No polygon was held out" not in text, "some may have been"
    assert "cancelled" not in training().html()


def test_curves_share_charts_and_bear_names():
    names = ["pretrain loss", "skill 1", "skill 2", "cnn accuracy", "mamba accuracy", "class share 2", "other thing"]
    curves = [Curve(name, (0.0, 10.0), (0.1, 0.2)) for name in names]
    drawn = charts(curves, ["optical", "dsm"], CLASSES)
    assert len(drawn) == 5
    assert "optical" in drawn[1] and "dsm" in drawn[1]
    assert "cnn" in drawn[2] and "mamba" in drawn[2]
    assert CLASSES[1].colour in drawn[3] and "Other thing" in drawn[4]
    page = checked(training(curves=curves).html())
    assert page.count("<svg") == 5


def test_what_comes_from_outside_stays_text():
    evil = "red;background:url(http://example.org/x)"
    classes = tuple(ClassInfo(each.code, "a\0<script>b\ud800\x1b", evil) for each in CLASSES)
    report = training(curves=[Curve("class share 1", (0.0, 1.0), (0.1, 0.2))])
    pages = [
        replace(report, header=replace(report.header, classes=classes), warnings=["<script>\ud800"]).html(),
        AssessmentReport("<script>", "\ud800", classes, CONFUSION, (1, 1, 1), 0, ["<img src=x>"]).html(),
    ]
    for page in pages:
        assert "example.org" not in checked(page) and "a &lt;script&gt;b\ufffd" in page
        page.encode("utf-8")
        assert not set(page) & set("\0\x1b\ud800")
    AssessmentReport("\ud800", "", classes, CONFUSION, (1, 1, 1), 0, []).json().encode("utf-8")


def test_the_weights_of_the_members_are_told_in_words():
    names = ("cnn weight", "probe weight")
    weighed = [Curve(name, (0.0, 60.0), (0.5, value)) for name, value in zip(names, (0.21, 0.4), strict=True)]
    page = checked(training(curves=weighed).html())
    assert "cnn 0.21, probe 0.40" in words(page) and "<svg" not in page
    assert "not weighed" not in page
    as_set = [Curve(name, (0.0,), (0.5,)) for name in names]
    assert "cnn 0.50, probe 0.50 (not weighed by polygons)" in words(training(curves=as_set).html())


@pytest.fixture
def assessment() -> AssessmentReport:
    return AssessmentReport("map", "validation", CLASSES, CONFUSION, (8, 6, 0), 1200, ["2 polygons have no class."])


def test_assessment_page(assessment):
    text = words(checked(assessment.html()))
    for wanted in (
        "map against 14 polygons of validation",
        "1,200 reference pixels",
        "2 polygons have no class.",
        "85%",
    ):
        assert wanted in text, wanted


def test_assessment_as_json(assessment):
    data = json.loads(assessment.json())
    assert (data["oa"], data["aa"], data["pixels"], data["left_out"]) == (0.85, pytest.approx(0.85), 20, 1200)
    assert data["kappa"] == pytest.approx(0.7)
    assert data["confusion"] == [list(row) for row in CONFUSION]
    assert data["oa_interval_95"] == [pytest.approx(0.593, abs=5e-4), pytest.approx(0.957, abs=5e-4)]
    assert (data["polygons"], data["polygons_trained_on"]) == (14, 0)
    water, _, snow = data["classes"]
    assert (water["polygons"], snow["polygons"]) == (8, 0)
    assert (water["code"], water["name"], water["producer"], water["reference"]) == (1, "Water", 0.8, 10)
    assert snow["producer"] is None and snow["f1"] is None and snow["reference"] == 0
