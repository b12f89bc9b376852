package engine

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"log/slog"
	"strconv"

	"github.com/pocketbase/pocketbase/tools/router"
)

// json writes the row as PocketBase stores it: the names in order.
func (r *requestRow) json(b []byte) []byte {
	b = append(b, `{"auth":`...)
	b = quoted(b, r.auth)
	if r.withAuthID {
		b = append(b, `,"authId":`...)
		b = quoted(b, r.authID)
	}
	if r.timed {
		b = append(b, `,"execTime":`...)
		b = number(b, r.execTime)
	}
	b = append(b, `,"method":`...)
	b = quoted(b, r.method)
	b = append(b, `,"referer":`...)
	b = quoted(b, r.referer)
	if r.withIP {
		b = append(b, `,"remoteIP":`...)
		b = quoted(b, r.remoteIP)
	}
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(r.status), 10)
	b = append(b, `,"type":"request","url":`...)
	b = quoted(b, r.uri)
	b = append(b, `,"userAgent":`...)
	b = quoted(b, r.userAgent)
	if r.withIP {
		b = append(b, `,"userIP":`...)
		b = quoted(b, r.userIP)
	}
	return append(b, '}')
}

// attrs lists what PocketBase's middleware gives its logger, in its order.
func (r *requestRow) attrs(meta any, err error) []slog.Attr {
	attrs := make([]slog.Attr, 0, 15)
	attrs = append(attrs, slog.String("type", "request"))
	if r.timed {
		attrs = append(attrs, slog.Float64("execTime", r.execTime))
	}
	if meta != nil {
		attrs = append(attrs, slog.Any("meta", meta))
	}
	attrs = append(attrs, r.failure(err)...)
	attrs = append(attrs,
		slog.String("url", r.uri),
		slog.String("method", r.method),
		slog.Int("status", r.status),
		slog.String("referer", r.referer),
		slog.String("userAgent", r.userAgent),
		slog.String("auth", r.auth),
	)
	if r.withAuthID {
		attrs = append(attrs, slog.String("authId", r.authID))
	}
	if r.withIP {
		attrs = append(attrs, slog.String("userIP", r.userIP), slog.String("remoteIP", r.remoteIP))
	}
	return attrs
}

// failure says why a request failed, and takes the status that will be
// written for it.
func (r *requestRow) failure(err error) []slog.Attr {
	if err == nil {
		return nil
	}
	var api *router.ApiError
	if !errors.As(err, &api) {
		return []slog.Attr{slog.String("error", err.Error())}
	}
	if r.status == 0 {
		r.status = api.Status
	}
	message := err.Error()
	if err == error(api) { // not wrapped
		message = api.Message
	}
	return []slog.Attr{slog.String("error", message), slog.Any("details", api.RawData())}
}

// quoted appends s as PocketBase's encoder writes it: bytes that are no UTF-8
// become U+FFFD.
func quoted(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only says that there were such bytes
	return b
}

// number appends f as encoding/json/v2 does.
func number(b []byte, f float64) []byte {
	if f >= 1e-6 && f < 1e21 { // there, as JavaScript does, it writes no exponent
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	text, err := json.Marshal(f)
	if err != nil {
		return append(b, "null"...) // NaN and infinities, which no duration is
	}
	return append(b, text...)
}
