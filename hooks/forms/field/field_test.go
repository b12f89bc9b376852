package field_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"bungalow/hooks/forms/field"
)

func parse(t testing.TB, raw string) []field.Field {
	t.Helper()
	fields, err := field.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestDefinitionsThatCannotWorkAreRefusedWithTheField(t *testing.T) {
	t.Parallel()
	many := make([]string, field.MaxFields+1)
	for i := range many {
		many[i] = fmt.Sprintf(`{"name":"f%d","type":"text"}`, i)
	}
	files := make([]string, field.MaxFiles+1)
	for i := range files {
		files[i] = fmt.Sprintf(`{"name":"f%d","type":"file"}`, i)
	}
	for raw, want := range map[string]string{
		`{}`: "list of objects", `[]`: "at least one", `[{"type":"text"}]`: "field 1", `[1]`: "list of objects",
		`[{"name":"_t"}]`: "begins with a letter", `[{"name":"a b"}]`: "begins with a letter",
		`[{"name":"` + strings.Repeat("a", 41) + `"}]`:                                  "begins with a letter",
		`[{"name":"a","type":"colour"}]`:                                                `no type "colour"`,
		`[{"name":"a"},{"name":"A"}]`:                                                   "field 2 (A): another field",
		`[{"name":"a","pattern":"("}]`:                                                  "RE2",
		`[{"name":"a","pattern":"(?=x)"}]`:                                              "RE2",
		`[{"name":"a","type":"number","pattern":"1"}]`:                                  "pattern goes with",
		`[{"name":"a","type":"select"}]`:                                                "needs options",
		`[{"name":"a","type":"radio","options":["x","x"]}]`:                             "twice",
		`[{"name":"a","type":"radio","options":[" "]}]`:                                 "needs a value",
		`[{"name":"a","type":"text","options":["x"]}]`:                                  "has no options",
		`[{"name":"a","min":-1}]`:                                                       "whole numbers",
		`[{"name":"a","min":5,"max":2}]`:                                                "larger than max",
		`[{"name":"a","max":5000}]`:                                                     "0 to 2000",
		`[{"name":"a","max":0}]`:                                                        "leaves nothing",
		`[{"name":"a","type":"date","min":"1.2.2027"}]`:                                 "2006-01-02",
		`[{"name":"a","type":"number","min":"x"}]`:                                      "must be numbers",
		`[{"name":"a","type":"radio","options":["x"],"max":1}]`:                         "no min and no max",
		`[{"name":"a","type":"file","max_size":51}]`:                                    "1 to 50",
		`[{"name":"a","type":"file","accept":["exe"]}]`:                                 `"exe"`,
		`[{"name":"a","accept":["image"]}]`:                                             "field for files",
		`[{"name":"a","label":"` + strings.Repeat("x", 301) + `"}]`:                     "label has more",
		`[{"name":"a","label":"x\u0000"}]`:                                              "can't be shown",
		`[{"name":"a","rows":99}]`:                                                      "rows",
		`[{"name":"a","autocomplete":"<x>"}]`:                                           "autocomplete",
		`[` + strings.Join(many, ",") + `]`:                                             "at most 60",
		`[` + strings.Join(files, ",") + `]`:                                            "at most 5",
		`[{"name":"a","type":"textarea","pattern":"` + strings.Repeat("a", 301) + `"}]`: "longer than",
	} {
		if _, err := field.Parse([]byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", raw, err, want)
		}
	}
}

func TestADefinitionSurvivesBeingWritten(t *testing.T) {
	t.Parallel()
	fields := parse(t, `[{"name":"n","type":"number","min":1,"max":"2.5"},{"name":"d","type":"date","min":"2027-01-01"},
		{"name":"s","type":"select","options":["a",{"value":"b","label":"B"}],"multiple":true,"max":2}]`)
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	again := parse(t, string(raw))
	if again[0].Max != "2.5" || again[1].Min != "2027-01-01" || again[2].Options[0].Label != "a" || again[2].Options[1].Label != "B" || !again[2].Many() {
		t.Errorf("%s", raw)
	}
	if !strings.Contains(string(raw), `"min":1`) {
		t.Errorf("a number became a text: %s", raw)
	}
}

// checks are one field, one value, and the answer or the code of the problem.
var checks = []struct{ def, value, want string }{
	{`"type":"text"`, "  Ada  ", "Ada"},
	{`"type":"text"`, "a\r\nBcc: x@example.com", "single_line"},
	{`"type":"text"`, "a\nb", "single_line"},
	{`"type":"text"`, "a\u2028b", "single_line"},
	{`"type":"text"`, "a\x00b", "invalid_text"},
	{`"type":"text"`, "a\x1bb", "invalid_text"},
	{`"type":"text"`, "a\xffb", "invalid_text"},
	{`"type":"text"`, "abc\u202egpj.exe", "abcgpj.exe"},
	{`"type":"text","max":3`, "äöü", "äöü"},
	{`"type":"text","max":3`, "äöüß", "too_long"},
	{`"type":"text","min":3`, "ab", "too_short"},
	{`"type":"text"`, strings.Repeat("x", 501), "too_long"},
	{`"type":"text","pattern":"[A-Z]{2}"`, "AB", "AB"},
	{`"type":"text","pattern":"[A-Z]{2}"`, "ABC", "invalid_pattern"},
	{`"type":"text","pattern":"a|b"`, "ax", "invalid_pattern"},
	{`"type":"textarea"`, "a\r\nb\rc", "a\nb\nc"},
	{`"type":"textarea"`, "a\x00", "invalid_text"},
	{`"type":"textarea"`, strings.Repeat("x", 10_001), "too_long"},
	{`"type":"email"`, "ada@example.com", "ada@example.com"},
	{`"type":"email"`, "ada@bücher.example", "ada@bücher.example"},
	{`"type":"email"`, "ada@localhost", "invalid_email"},
	{`"type":"email"`, "Ada <ada@example.com>", "invalid_email"},
	{`"type":"email"`, "a,b@example.com", "invalid_email"},
	{`"type":"email"`, "ada@example.com\r\nBcc: eve@example.com", "single_line"},
	{`"type":"email"`, "ada@exa mple.com", "invalid_email"},
	{`"type":"tel"`, "+49 (0)30 123-456", "+49 (0)30 123-456"},
	{`"type":"tel"`, "call me", "invalid_tel"},
	{`"type":"url"`, "https://example.com/a?b#c", "https://example.com/a?b#c"},
	{`"type":"url"`, "javascript:alert(1)", "invalid_url"},
	{`"type":"url"`, "example.com", "invalid_url"},
	{`"type":"number","min":1,"max":8`, "8", "8"},
	{`"type":"number","min":1,"max":8`, "8.01", "too_high"},
	{`"type":"number","min":1,"max":8`, "-1e3", "too_low"},
	{`"type":"number"`, "NaN", "invalid_number"},
	{`"type":"number"`, "1,5", "invalid_number"},
	{`"type":"number"`, "1e999", "invalid_number"},
	{`"type":"number"`, "0x10", "invalid_number"},
	{`"type":"date","min":"2027-01-01","max":"2027-12-31"`, "2027-02-28", "2027-02-28"},
	{`"type":"date"`, "2027-02-29", "invalid_date"},
	{`"type":"date","min":"2027-01-01"`, "2026-12-31", "too_low"},
	{`"type":"date","max":"2027-12-31"`, "2028-01-01", "too_high"},
	{`"type":"select","options":["a","b"]`, "b", "b"},
	{`"type":"select","options":["a","b"]`, "c", "invalid_option"},
	{`"type":"radio","options":["a","b"]`, "A", "invalid_option"},
	{`"type":"checkbox"`, "on", "yes"},
	{`"type":"checkbox"`, "false", ""},
	{`"type":"consent","required":true`, "true", "yes"},
	{`"type":"consent","required":true`, "false", "consent"},
	{`"type":"consent","required":true`, "", "consent"},
	{`"type":"text","required":true`, " \t ", "required"},
	{`"type":"text"`, "", ""},
	{`"type":"hidden"`, "web", "web"},
	{`"type":"file"`, "a text", "not_a_file"},
}

func TestAnswersAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range checks {
		fields := parse(t, `[{"name":"x",`+c.def+`}]`)
		answers, problems := field.Check(fields, map[string][]string{"x": {c.value}, "other": {"\x00"}})
		got := strings.Join(answers["x"], "|")
		if p, wrong := problems["x"]; wrong {
			got = p.Code
			if p.Words() == "" {
				t.Errorf("%s has no words", p.Code)
			}
		}
		if got != c.want || answers["other"] != nil || len(problems) > 1 {
			t.Errorf("{%s} with %.40q: %q, want %q", c.def, c.value, got, c.want)
		}
	}
}

func TestSeveralValues(t *testing.T) {
	t.Parallel()
	many := parse(t, `[{"name":"x","type":"checkbox","options":["a","b","c"],"min":2,"max":2}]`)
	for given, want := range map[string]string{"a": "too_few", "a b": "", "a b c": "too_many", "a a b": "", "a z": "invalid_option"} {
		_, problems := field.Check(many, map[string][]string{"x": strings.Fields(given)})
		if problems["x"].Code != want {
			t.Errorf("%s: %q, want %q", given, problems["x"].Code, want)
		}
	}
	one := parse(t, `[{"name":"x","type":"text"}]`)
	if _, problems := field.Check(one, map[string][]string{"x": {"a", "b"}}); problems["x"].Code != field.CodeOne {
		t.Errorf("two texts: %v", problems)
	}
	if p := (field.Problem{Code: field.CodePattern, Own: "Like this: 1"}); p.Own == "" || len(field.Sentences()) < 20 {
		t.Error("the sentences are gone")
	}
}

func TestTheOwnersWordsWin(t *testing.T) {
	t.Parallel()
	fields := parse(t, `[{"name":"x","pattern":"[0-9]+","message":"Digits only, please."}]`)
	if _, problems := field.Check(fields, map[string][]string{"x": {"a"}}); problems["x"].Own != "Digits only, please." {
		t.Errorf("%+v", problems)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range checks {
		f.Add(`[{"name":"x",`+c.def+`}]`, c.value)
	}
	f.Fuzz(func(t *testing.T, raw, value string) {
		fields, err := field.Parse([]byte(raw))
		if err != nil {
			if err.Error() == "" {
				t.Fatal("a refusal without words")
			}
			return
		}
		if len(fields) == 0 || len(fields) > field.MaxFields {
			t.Fatalf("%d fields", len(fields))
		}
		again, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := field.Parse(again); err != nil {
			t.Fatalf("%s became %s: %v", raw, again, err)
		}
		values := map[string][]string{}
		for _, q := range fields {
			values[q.Name] = []string{value, value + "x"}
		}
		answers, _ := field.Check(fields, values)
		for _, q := range fields {
			for _, v := range answers[q.Name] {
				if strings.ContainsAny(v, "\x00\r\x1b") || q.Type != field.Textarea && strings.Contains(v, "\n") || v != strings.ToValidUTF8(v, "") || v == "" {
					t.Fatalf("%s let %q pass", q.Type, v)
				}
			}
		}
	})
}

func FuzzIsEmail(f *testing.F) {
	f.Add("ada@example.com")
	f.Add("a@b.c\r\nBcc: x@y.z")
	f.Fuzz(func(t *testing.T, s string) {
		if field.IsEmail(s) && (strings.ContainsAny(s, "\r\n\x00 <>,;\"") || strings.Count(s, "@") != 1) {
			t.Fatalf("%q is taken for an address", s)
		}
	})
}
