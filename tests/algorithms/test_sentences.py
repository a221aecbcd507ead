"""Nothing but a sentence leaves an algorithm, whatever happens inside."""

from __future__ import annotations

from typing import Any

import pytest
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback

from bdgf.bdgf_qgis.algorithms.base import BdgfAlgorithm


class Broken(BdgfAlgorithm):
    """Raises what it is told to, everywhere."""

    ID = "broken"
    error: Exception = ZeroDivisionError("on\x07 purpose \ud800")

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        raise self.error

    def read_inputs(self, parameters: dict[str, Any], context: Any) -> None:
        raise self.error

    def execute(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        raise self.error


@pytest.mark.parametrize("error", [ZeroDivisionError("on\x07 purpose \ud800"), RecursionError("deep"), KeyError("x")])
def test_an_error_that_nobody_foresaw_is_a_sentence_and_a_log_entry(error: Exception):
    algorithm, context, feedback = Broken(), QgsProcessingContext(), QgsProcessingFeedback()
    algorithm.error = error
    logged: list[str] = []
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: logged.append(f"{tag}: {text}"))
    fine, said = algorithm.checkParameterValues({}, context)
    assert not fine and type(error).__name__ in said
    for call in (algorithm.prepareAlgorithm, algorithm.processAlgorithm):
        with pytest.raises(QgsProcessingException, match="unexpected error stopped broken") as caught:
            call({}, context, feedback)
        str(caught.value).encode("utf-8")
        assert "\x07" not in str(caught.value)
    assert any(each.startswith("BDGF: Traceback") for each in logged)


def test_a_sentence_stays_as_it_is():
    algorithm = Broken()
    algorithm.error = QgsProcessingException("The layer is empty: draw polygons.")
    with pytest.raises(QgsProcessingException, match=r"^The layer is empty: draw polygons\.$"):
        algorithm.processAlgorithm({}, QgsProcessingContext(), QgsProcessingFeedback())
