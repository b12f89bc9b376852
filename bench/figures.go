package main

import (
	"slices"
	"time"
)

// Turn is what one server showed in one turn.
type Turn struct {
	PerSecond float64       `json:"per_second"`
	P50       time.Duration `json:"p50_ns"`
	P99       time.Duration `json:"p99_ns"`
	CPU       time.Duration `json:"cpu_ns_per_request"`              // 0 where two loads share the server
	Around    float64       `json:"background_per_second,omitempty"` // what the background was answered
	IdleP99   time.Duration `json:"idle_p99_ns,omitempty"`           // without the background
	Broadcast *Broadcast    `json:"broadcast,omitempty"`             // with an audience
	Strain    float64       `json:"p99_over_idle_p99,omitempty"`     // median, in rows only
}

// Row is one server under one workload at one number of connections: the
// median of its turns, and the median of the ratios subject : this server,
// taken round by round.
type Row struct {
	Group    string             `json:"group"`
	Workload string             `json:"workload"`
	Title    string             `json:"title"`
	Conns    int                `json:"connections"`
	Server   string             `json:"server"`
	Turn     Turn               `json:"median"`
	PeakRSS  int64              `json:"peak_rss_bytes"`
	Ratio    map[string]float64 `json:"subject_to_this,omitempty"`
}

func rowsOf(w Workload, connCount []int, servers []*running) ([]Row, error) {
	var peaks []int64
	for _, s := range servers {
		_, peak, err := memory(s.server.PID())
		if err != nil {
			return nil, err
		}
		peaks = append(peaks, peak)
	}
	var rows []Row
	ours := servers[0]
	for _, conns := range connCount {
		for i, s := range servers {
			row := Row{
				Workload: w.Name, Title: w.Title, Conns: conns, Server: s.Title,
				Turn: medianTurn(s.turns[conns]), PeakRSS: peaks[i],
			}
			if i > 0 {
				row.Ratio = ratios(ours.turns[conns], s.turns[conns])
				if peaks[i] > 0 {
					row.Ratio["peak"] = float64(peaks[0]) / float64(peaks[i])
				}
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// metrics are the figures of a turn that are compared, by the names that bars
// use. "peak" is one of the whole process, "strain" and "rate" are of the subject alone.
var metrics = map[string]func(Turn) float64{
	"perSecond": func(t Turn) float64 { return t.PerSecond },
	"p50":       func(t Turn) float64 { return float64(t.P50) },
	"p99":       func(t Turn) float64 { return float64(t.P99) },
	"cpu":       func(t Turn) float64 { return float64(t.CPU) },
	"reply":     func(t Turn) float64 { return float64(t.broadcast().Reply) },
	"delivered": func(t Turn) float64 { return float64(t.broadcast().Delivered) },
}

var metricTitles = map[string]string{
	"perSecond": "requests/s", "p50": "p50", "p99": "p99", "cpu": "CPU", "peak": "peak memory",
	"reply": "time to the reply", "delivered": "time until all have it", "strain": "p99 compared with its idle p99", "rate": "requests/s",
}

func (t Turn) broadcast() Broadcast {
	if t.Broadcast == nil {
		return Broadcast{}
	}
	return *t.Broadcast
}

func medianTurn(turns []Turn) Turn {
	of := func(value func(Turn) float64) float64 {
		var values []float64
		for _, t := range turns {
			values = append(values, value(t))
		}
		return median(values)
	}
	took := func(name string) time.Duration { return time.Duration(of(metrics[name])) }
	m := Turn{
		PerSecond: of(metrics["perSecond"]), P50: took("p50"), P99: took("p99"), CPU: took("cpu"),
		Around:  of(func(t Turn) float64 { return t.Around }),
		IdleP99: time.Duration(of(func(t Turn) float64 { return float64(t.IdleP99) })),
	}
	if m.IdleP99 > 0 {
		m.Strain = of(func(t Turn) float64 { return float64(t.P99) / float64(t.IdleP99) })
	}
	for _, t := range turns {
		if t.Broadcast == nil {
			continue
		}
		if m.Broadcast == nil {
			m.Broadcast = &Broadcast{Reply: took("reply"), Delivered: took("delivered")}
		}
		m.Broadcast.Lost += t.Broadcast.Lost
		m.Broadcast.Closed = max(m.Broadcast.Closed, t.Broadcast.Closed)
	}
	return m
}

// ratios pairs the turns of the same round.
func ratios(ours, theirs []Turn) map[string]float64 {
	result := map[string]float64{}
	for name, value := range metrics {
		var each []float64
		for i := range min(len(ours), len(theirs)) {
			if d := value(theirs[i]); d > 0 {
				each = append(each, value(ours[i])/d)
			}
		}
		if len(each) > 0 {
			result[name] = median(each)
		}
	}
	return result
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}
