// monitoring reads manifests from its standard input and decodes the kinds of the Prometheus
// operator strictly into the operator's own types: an unknown field or a wrong type is an error.
// kubeconform has no schemas of them.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

type kind struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// target is what a document of that kind is decoded into; nil: not of the operator.
func target(k kind) any {
	if k.APIVersion != monitoringv1.SchemeGroupVersion.String() {
		return nil
	}
	switch k.Kind {
	case monitoringv1.ServiceMonitorsKind:
		return &monitoringv1.ServiceMonitor{}
	case monitoringv1.PrometheusRuleKind:
		return &monitoringv1.PrometheusRule{}
	}
	return nil
}

// check counts the documents that it has verified.
func check(in io.Reader) (int, error) {
	reader := yaml.NewYAMLReader(bufio.NewReader(in))
	checked := 0
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return checked, nil
		}
		if err != nil {
			return checked, err
		}
		var k kind
		if err := sigsyaml.Unmarshal(document, &k); err != nil {
			return checked, err
		}
		into := target(k)
		if into == nil {
			continue
		}
		if err := sigsyaml.UnmarshalStrict(document, into); err != nil {
			return checked, fmt.Errorf("%s: %w", k.Kind, err)
		}
		checked++
	}
}

func main() {
	checked, err := check(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "monitoring:", err)
		os.Exit(1)
	}
	fmt.Println(checked, "verified")
}
