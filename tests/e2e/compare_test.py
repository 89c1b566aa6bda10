"""What scripts/bench-compare makes of its results: tables and plots, without any server."""

import sys
import unittest
import xml.etree.ElementTree

import harness

sys.path.insert(0, str(harness.ROOT / "scripts"))
from compare import page, plan, plot  # noqa: E402


def result(measurement, contender, per_second, p99=1.0):
    return {"measurement": measurement, "contender": contender,
            "report": {"operations_per_second": per_second, "operation_p99_ms": p99}}


class TableTest(unittest.TestCase):
    def test_a_row_has_median_spread_and_ratio(self):
        what = "set, 30 x 1"
        rows = page.table([result(what, "ZooKeeper", rate) for rate in (900, 1000, 1200)] +
                          [result(what, "etcd", rate) for rate in (2600, 2500, 2400)]).splitlines()
        self.assertEqual(rows[0], "| what | who | operations/s | p99, ms | "
                                  "operations/s against ZooKeeper |")
        self.assertEqual(rows[2], f"| {what} | ZooKeeper | 1,000 [900 to 1,200] | "
                                  "1.00 [1.00 to 1.00] | 1.00 |")
        self.assertEqual(rows[3], f"| {what} | etcd | 2,500 [2,400 to 2,600] | "
                                  "1.00 [1.00 to 1.00] | 2.50 |")
        self.assertEqual(len(rows), 4)

    def test_there_is_no_ratio_to_what_was_not_measured(self):
        rows = page.table([result("set, 30 x 1", "etcd", 5)]).splitlines()
        self.assertEqual(rows[2], "| set, 30 x 1 | etcd | 5 | 1.00 |  |")

    def test_every_measurement_has_a_name_of_its_own_and_a_command(self):
        names = [measurement.name for measurement in plan.MEASUREMENTS]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(page.commands().splitlines()), len(names) + 2)

    def test_the_page_has_the_place_that_is_written(self):
        text = page.PAGE.read_text()
        self.assertEqual(text.count(page.BEGIN), 1)
        self.assertLess(text.index(page.BEGIN), text.index(page.END))


class PlotTest(unittest.TestCase):
    def test_ticks_reach_beyond_both_ends(self):
        for low, high in ((1, 1), (0.03, 7), (5, 10), (999, 123_456)):
            ticks = plot.ticks(low, high)
            self.assertLessEqual(ticks[0], low)
            self.assertGreaterEqual(ticks[-1], high)
            self.assertGreater(len(ticks), 1)

    def test_an_axis_is_logarithmic(self):
        axis = plot.Axis([1, 100], 0, 200)
        self.assertAlmostEqual(axis.at(1), 0)
        self.assertAlmostEqual(axis.at(10), 100)
        self.assertAlmostEqual(axis.at(100), 200)

    def test_a_plot_is_an_svg_with_a_line_for_each_contender(self):
        results = [result(m.name, contender.name, 1000 * m.outstanding, m.outstanding)
                   for m in plan.MEASUREMENTS if m.plot == "get"
                   for contender in plan.CONTENDERS]
        plots = page.plots(results)
        self.assertEqual(list(plots), ["get"])
        svg = xml.etree.ElementTree.fromstring(plots["get"])
        words = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
        for contender in plan.CONTENDERS:
            self.assertIn(contender.name, words)
        points = len(list(svg.iter("{http://www.w3.org/2000/svg}circle")))
        self.assertEqual(points, 4 * len(plan.CONTENDERS))


if __name__ == "__main__":
    unittest.main()
