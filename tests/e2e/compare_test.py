"""What scripts/bench-compare makes of its results: tables and plots, without any server."""

import sys
import unittest
import xml.etree.ElementTree

import harness

sys.path.insert(0, str(harness.ROOT / "scripts"))
from compare import growth, large, page, plan, plot  # noqa: E402


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

    def test_the_page_has_the_places_that_are_written(self):
        text = page.PAGE.read_text()
        marks = []
        for begin in (page.BEGIN, growth.BEGIN, large.BEGIN):
            self.assertEqual(text.count(begin), 1)
            marks += [text.index(begin), text.index(page.END, text.index(begin))]
        self.assertEqual(marks, sorted(marks))


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


class GrowthTest(unittest.TestCase):
    def test_a_sweep_leaves_out_what_is_too_large(self):
        nodes, _, connections, _ = growth.SWEEPS
        self.assertEqual({point.nodes for point in nodes.points("zookeeper", 1_000_000)},
                         {10_000, 100_000, 1_000_000})
        self.assertIn(10_000, {point.size for point in connections.points("zookeeper", 10 ** 7)})
        self.assertNotIn(10_000, {point.size for point in connections.points("pipeline", 10 ** 7)})

    def test_each_point_is_a_row_and_a_place_in_the_plot(self):
        results = [{"sweep": "nodes", "size": size, "protocol": protocol, "workload": "get",
                    "report": {"operations_per_second": 5_000, "servers_resident_bytes": 3 << 20}}
                   for protocol in growth.PROTOCOLS for size in (10_000, 10_000_000)]
        self.assertEqual(growth.table(results).splitlines()[-1],
                         "| nodes | 10,000,000 | ZooKeeper port | get | 5,000 |  |  |  |  |  | 3 |")
        svg = xml.etree.ElementTree.fromstring(growth.plots(results)["nodes"])
        words = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("get, ZooKeeper port", words)
        self.assertIn("10M", words)
        self.assertEqual(len(list(svg.iter("{http://www.w3.org/2000/svg}circle"))), 4)


class LargeTest(unittest.TestCase):
    def test_a_row_has_both_and_the_share(self):
        rows = large.table({"Pando": {"restart, s": [1, 3, 2]}, "ZooKeeper": {"restart, s": [8]}})
        self.assertEqual(rows.splitlines()[2],
                         "| restart, s | 2 [1 to 3] | 8 [8 to 8] | 0.25 |")


if __name__ == "__main__":
    unittest.main()
