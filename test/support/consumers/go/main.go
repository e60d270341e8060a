// Reads the ECS task endpoints as two real consumers do and prints, as JSON, what each made of them:
//
//	client receiver ROUNDS   the OpenTelemetry Collector's receiver awsecscontainermetrics: a line for each round
//	client detector          the ECS resource detector of OpenTelemetry Go: one line
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/awsecscontainermetricsreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/contrib/detectors/aws/ecs"
	"go.uber.org/zap"
)

const deadline = 60 * time.Second

// Of a container or a task: what the receiver says it is, and its metrics by name.
type resource struct {
	Attributes map[string]any     `json:"attributes"`
	Metrics    map[string]float64 `json:"metrics"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	arguments := append(os.Args[1:], "", "")
	switch arguments[0] {
	case "receiver":
		fail(receive(ctx, arguments[1]))
	case "detector":
		fail(detect(ctx))
	default:
		fail(fmt.Errorf("'%s' is neither receiver nor detector", arguments[0]))
	}
}

func receive(ctx context.Context, count string) error {
	rounds, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	telemetry := componenttest.NewNopTelemetrySettings()
	if telemetry.Logger, err = zap.NewProduction(); err != nil {
		return err
	}
	factory := awsecscontainermetricsreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*awsecscontainermetricsreceiver.Config)
	config.CollectionInterval = time.Second

	received := make(chan resource)
	next, err := consumer.NewMetrics(func(ctx context.Context, metrics pmetric.Metrics) error {
		for _, each := range metrics.ResourceMetrics().All() {
			select {
			case received <- read(each):
			case <-ctx.Done():
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	settings := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: telemetry}
	running, err := factory.CreateMetrics(ctx, settings, config, next)
	if err != nil {
		return err
	}
	if err := running.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	defer running.Shutdown(ctx)

	output := json.NewEncoder(os.Stdout)
	for range rounds {
		round, err := receiveRound(ctx, received)
		if err != nil {
			return err
		}
		if err := output.Encode(round); err != nil {
			return err
		}
	}
	return nil
}

// The containers come first and the task ends the round.
func receiveRound(ctx context.Context, received <-chan resource) ([]resource, error) {
	var round []resource
	for {
		select {
		case each := <-received:
			round = append(round, each)
			for name := range each.Metrics {
				if strings.HasPrefix(name, "ecs.task.") {
					return round, nil
				}
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("the receiver gave no whole round: %w", ctx.Err())
		}
	}
}

func read(metrics pmetric.ResourceMetrics) resource {
	values := map[string]float64{}
	for _, scope := range metrics.ScopeMetrics().All() {
		for _, metric := range scope.Metrics().All() {
			values[metric.Name()] = value(metric)
		}
	}
	return resource{metrics.Resource().Attributes().AsRaw(), values}
}

func value(metric pmetric.Metric) float64 {
	points := metric.Gauge().DataPoints
	if metric.Type() == pmetric.MetricTypeSum {
		points = metric.Sum().DataPoints
	}
	point := points().At(0)
	if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(point.IntValue())
	}
	return point.DoubleValue()
}

func detect(ctx context.Context) error {
	found, err := ecs.NewResourceDetector().Detect(ctx)
	if err != nil {
		return err
	}
	attributes := map[string]any{}
	for _, attribute := range found.Attributes() {
		attributes[string(attribute.Key)] = attribute.Value.AsInterface()
	}
	return json.NewEncoder(os.Stdout).Encode(attributes)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
