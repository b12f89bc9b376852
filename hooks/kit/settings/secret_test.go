package settings_test

import (
	"strings"
	"testing"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
)

type guarded struct {
	Host string `json:"host"`
	Key  string `json:"key" kind:"secret"`
}

func TestSecretsLieEncrypted(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if err := settings.Save(app, "sample", guarded{Host: "example.com", Key: "hunter2"}); err != nil {
		t.Fatal(err)
	}
	record, err := app.FindFirstRecordByData(schema.Settings, "feature", "sample")
	if err != nil {
		t.Fatal(err)
	}
	raw := record.GetString("value")
	if strings.Contains(raw, "hunter2") || !strings.Contains(raw, "sealed:1:") || !strings.Contains(raw, "example.com") {
		t.Errorf("stored is %s", raw)
	}
	if o, err := settings.Load(app, "sample", guarded{}); err != nil || o.Key != "hunter2" {
		t.Errorf("%+v, %v", o, err)
	}
	// The same again is another text: nobody sees that a secret stayed.
	if err := settings.Save(app, "sample", guarded{Key: "hunter2"}); err != nil {
		t.Fatal(err)
	}
	again, _ := app.FindRecordById(schema.Settings, record.Id)
	if again.GetString("value") == raw {
		t.Error("the nonce was used twice")
	}
}

func TestSecretsWrittenByHandAreRead(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "sample", "value": map[string]any{"key": "plain"}})
	if o, err := settings.Load(app, "sample", guarded{}); err != nil || o.Key != "plain" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestASecretOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if err := settings.Save(app, "one", guarded{Key: "hunter2"}); err != nil {
		t.Fatal(err)
	}
	record, _ := app.FindFirstRecordByData(schema.Settings, "feature", "one")
	for _, value := range []string{record.GetString("value"), `{"key":"sealed:1:x"}`, `{"key":"sealed:1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`} {
		moved := sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "two", "value": value})
		if o, err := settings.Load(app, "two", guarded{Host: "x"}); err != nil || o.Key != "" {
			t.Errorf("%+v, %v", o, err)
		}
		if err := app.Delete(moved); err != nil {
			t.Fatal(err)
		}
	}
}
