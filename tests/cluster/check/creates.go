package check

import "pando.test/cluster/history"

// Creates holds the sequential nodes at the end against what the sessions asked for: each has data
// of its own, so a write that was lost, repeated or overtaken shows.
func Creates(h *history.History) []Violation {
	var v violations
	pathsOf := map[string][]string{} // by data; a node's path has its number
	for _, node := range h.Final.Nodes {
		pathsOf[node.Value] = append(pathsOf[node.Value], node.Path)
	}
	for _, asked := range h.Creates {
		last := ""
		for _, create := range asked.Creates {
			paths := pathsOf[create.Data]
			if len(paths) > 1 {
				v.add(ExactlyOnce, "%s was made as %v", create.Data, paths)
				continue
			}
			if len(paths) == 0 {
				if create.Acknowledged {
					v.add(Acknowledged, "%s was made as %s at %d, and is not there", create.Data,
						create.Path, create.Revision)
				}
				continue
			}
			if create.Refused {
				v.add(ExactlyOnce, "%s was refused, and is there as %s", create.Data, paths[0])
			}
			if create.Acknowledged && create.Path != paths[0] {
				v.add(ExactlyOnce, "%s was made as %s, and is there as %s", create.Data, create.Path,
					paths[0])
			}
			// Ten digits: the order of the paths is that of the numbers.
			if paths[0] <= last {
				v.add(SessionOrder, "%s is %s, after %s", create.Data, paths[0], last)
			}
			last = paths[0]
		}
	}
	return v.found
}
