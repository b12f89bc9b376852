package pb_migrations

import (
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() {
	add(&Core, "1764000000_core_create.go", func(app core.App) error {
		return create(app, staff(), settings(), audit())
	}, func(app core.App) error {
		return drop(app, schema.Audit, schema.Settings, schema.Staff)
	})
}

func staff() *core.Collection {
	c := core.NewAuthCollection(schema.Staff)
	manage := roles.Rule(roles.StaffManage)
	selfOr := `id = @request.auth.id || ` + manage
	rules{&selfOr, &selfOr, &manage, &manage, &manage}.set(c)
	c.ManageRule = &manage
	c.AuthRule = types.Pointer("active = true")
	values := make([]string, 0, len(roles.All))
	for _, r := range roles.All {
		values = append(values, string(r))
	}
	c.Fields.Add(
		&core.TextField{Name: "name", Max: 200},
		&core.SelectField{Name: "role", Values: values, MaxSelect: 1, Required: true},
		&core.BoolField{Name: "active"},
	)
	stamps(c)
	return c
}

func settings() *core.Collection {
	c := core.NewBaseCollection(schema.Settings)
	manage := roles.Rule(roles.SettingsManage)
	rules{&manage, &manage, &manage, &manage, nil}.set(c)
	c.Fields.Add(
		&core.TextField{Name: "feature", Required: true, Max: 50},
		&core.JSONField{Name: "value", MaxSize: 200_000},
	)
	stamps(c)
	c.AddIndex("idx_settings_feature", true, "feature", "")
	return c
}

// audit is append-only: nobody may change or delete a line, not even by rule.
func audit() *core.Collection {
	c := core.NewBaseCollection(schema.Audit)
	read := roles.Rule(roles.StaffManage)
	rules{list: &read, view: &read}.set(c)
	c.Fields.Add(
		&core.TextField{Name: "actor", Max: 300},
		&core.TextField{Name: "action", Required: true, Max: 100},
		&core.TextField{Name: "collection", Max: 100},
		&core.TextField{Name: "record", Max: 100},
		&core.TextField{Name: "address", Max: 100, Hidden: true},
		&core.JSONField{Name: "detail", MaxSize: 50_000},
		&core.AutodateField{Name: "at", OnCreate: true},
	)
	c.AddIndex("idx_audit_at", false, "at", "")
	c.AddIndex("idx_audit_record", false, "collection, record", "")
	return c
}
