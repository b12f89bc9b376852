package hooks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/engine"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/pflag"
)

// Config is what the operator decides before the database opens.
type Config struct {
	// Without names the features that are switched off.
	Without []string
	// KeyFile is where the site's secret key lies; default pb_data/secret.key.
	KeyFile string
	// Durability is "full" (the default: a power cut takes no acknowledged write)
	// or "normal" (PocketBase's own: it may take the last commits).
	Durability string
	// PublicDir holds the owner's own files; default pb_public beside the data folder.
	PublicDir string
	// IndexFallback answers addresses that nobody knows with PublicDir's index.html.
	IndexFallback bool

	// SMTP is where mail for the inbox is received, such as ":2525"; "" for nowhere.
	SMTP string
	// SMTPCert and SMTPKey are the files of the receiver's certificate.
	SMTPCert, SMTPKey string

	// HooksDir, HooksWatch, HooksPool, MigrationsDir and Automigrate are those
	// of PocketBase's own executable, for its jsvm and migratecmd plugins.
	HooksDir      string
	HooksWatch    bool
	HooksPool     int
	MigrationsDir string
	Automigrate   bool

	// EngineWithout switches single parts of the engine off, by the names of
	// engine.Options; a search for what is to blame needs it, no site does.
	EngineWithout []string

	// Standalone is set by Boot for a command that opens no data folder.
	Standalone bool
	// Throwaway is set by Boot to the temporary folder of the demo command.
	Throwaway string
}

// EnvPrefix begins the name of every environment variable of ours.
const EnvPrefix = "BUNGALOW_"

// Boot reads what must be known before the app exists: flags win over
// environment variables, those over defaults. args has no program name;
// environ is as os.Environ gives it. Errors are sentences for the operator.
func Boot(args, environ []string) (pocketbase.Config, Config, error) {
	env := environment(environ)
	var cfg Config
	flags := pflag.NewFlagSet("bungalow", pflag.ContinueOnError)
	flags.ParseErrorsWhitelist.UnknownFlags = true
	flags.SetOutput(discard{})
	flags.BoolP("help", "h", false, "")
	// PocketBase's own, so that they don't swallow the command that follows.
	flags.String("dir", "", "")
	flags.Bool("dev", false, "")
	flags.String("encryptionEnv", "", "")
	flags.Int("queryTimeout", 0, "")
	flags.BoolP("version", "v", false, "")
	cfg.bind(flags)
	if err := flags.Parse(args); err != nil {
		return pocketbase.Config{}, cfg, fmt.Errorf("%w; see bungalow --help", err)
	}
	ownFolder := flags.Changed("dir") // by hand, not by a variable that means another site
	words := flags.Args()
	if command(words) == "demo" && !ownFolder {
		env = vars{} // they speak of another site, whose key and files are not the demo's
	}
	if err := env.fill(flags); err != nil {
		return pocketbase.Config{}, cfg, err
	}
	if err := cfg.check(); err != nil {
		return pocketbase.Config{}, cfg, err
	}
	base := pocketbase.Config{DefaultDev: false, DBConnect: Connect(cfg)}
	if !slices.Contains(cfg.Without, engineFeature) {
		engine.Connections(&base)
	}
	if err := env.base(&base); err != nil {
		return base, cfg, err
	}
	switch command(words) {
	case "demo":
		if !ownFolder {
			tmp, err := os.MkdirTemp("", "bungalow-demo-")
			if err != nil {
				return base, cfg, fmt.Errorf("make a folder for the demo: %w", err)
			}
			cfg.Throwaway = tmp
			base.DefaultDataDir = filepath.Join(tmp, "pb_data")
		}
	case "", "theme", "restore":
		cfg.Standalone = true
	}
	return base, cfg, nil
}

// bind defines the flags of ours and of PocketBase's own executable.
func (c *Config) bind(flags *pflag.FlagSet) {
	flags.StringSliceVar(&c.Without, "without", nil, "features to leave out: "+strings.Join(schema.Features, ", "))
	flags.StringVar(&c.KeyFile, "keyFile", "", "the file with the site's secret key (default pb_data/secret.key)")
	flags.StringVar(&c.Durability, "durability", string(sqlite.Full), "what a power cut may take: full (nothing that was acknowledged) or normal (the last commits)")
	flags.StringVar(&c.PublicDir, "publicDir", "", "the folder with your own files (default pb_public beside the data folder)")
	flags.BoolVar(&c.IndexFallback, "indexFallback", false, "answer unknown addresses with index.html of the public folder (for single-page apps)")
	flags.StringVar(&c.SMTP, "smtp", "", "receive mail for the inbox at this address, such as :2525 (off unless given)")
	flags.StringVar(&c.SMTPCert, "smtpCert", "", "the file with the certificate of the mail receiver (one is made at each start)")
	flags.StringVar(&c.SMTPKey, "smtpKey", "", "the file with the key of that certificate")
	flags.StringVar(&c.HooksDir, "hooksDir", "", "the folder with JavaScript hooks (default pb_hooks beside the data folder)")
	flags.BoolVar(&c.HooksWatch, "hooksWatch", true, "restart when a file in the hooks folder changes")
	flags.IntVar(&c.HooksPool, "hooksPool", 15, "how many JavaScript runtimes are kept ready")
	flags.StringVar(&c.MigrationsDir, "migrationsDir", "", "the folder with your own migrations (default pb_migrations beside the data folder)")
	flags.BoolVar(&c.Automigrate, "automigrate", true, "write a migration for each change of a collection in the dashboard")
}

// check refuses what can't be meant.
func (c *Config) check() error {
	for i, name := range c.Without {
		name = strings.TrimSpace(name)
		c.Without[i] = name
		if !slices.Contains(schema.Features, name) {
			return fmt.Errorf("there is no feature %q to leave out; the features are %s", name, strings.Join(schema.Features, ", "))
		}
	}
	switch sqlite.Durability(c.Durability) {
	case "", sqlite.Full, sqlite.Normal:
		return nil
	}
	return fmt.Errorf("there is no durability %q; write full or normal", c.Durability)
}

// publicDir is the folder of the owner's own files.
func (c *Config) publicDir(app core.App) string {
	if c.PublicDir != "" {
		return c.PublicDir
	}
	return filepath.Join(app.DataDir(), "..", "pb_public")
}

// command is the first word that is not a flag.
func command(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// vars are the environment variables of ours, by name without the prefix.
type vars map[string]string

func environment(environ []string) vars {
	env := vars{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if rest, ok := strings.CutPrefix(name, EnvPrefix); ok {
			env[rest] = value
		}
	}
	return env
}

// EnvName is the environment variable of a flag: keyFile is BUNGALOW_KEY_FILE.
func EnvName(flag string) string { return EnvPrefix + envWord(flag) }

func envWord(flag string) string {
	var b strings.Builder
	for i, r := range flag {
		if r >= 'A' && r <= 'Z' && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(strings.ReplaceAll(b.String(), "-", "_"))
}

// lookup finds a flag's value, read from a file where NAME_FILE is set.
func (v vars) lookup(flag string) (string, bool, error) {
	word := envWord(flag)
	if value, ok := v[word]; ok {
		return value, true, nil
	}
	path, ok := v[word+"_FILE"]
	if !ok {
		return "", false, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", false, fmt.Errorf("read the file that %s%s_FILE names: %w", EnvPrefix, word, err)
	}
	return strings.TrimSpace(string(content)), true, nil
}

// fill sets the flags that the command line left alone.
func (v vars) fill(flags *pflag.FlagSet) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		value, ok, err := v.lookup(f.Name)
		if err == nil && ok {
			if err = flags.Set(f.Name, value); err != nil {
				err = fmt.Errorf("%s=%q can't be used: --%s takes %s", EnvName(f.Name), value, f.Name, kinds[f.Value.Type()])
			}
		}
		errs = append(errs, err)
	})
	return errors.Join(errs...)
}

// kinds say what a flag of a type takes.
var kinds = map[string]string{
	"bool": "true or false", "int": "a whole number", "string": "a text", "stringSlice": "a list with commas",
}

// base sets the defaults of the flags that PocketBase reads before ours.
func (v vars) base(base *pocketbase.Config) (err error) {
	if base.DefaultDataDir, _, err = v.lookup("dir"); err != nil {
		return err
	}
	if base.DefaultEncryptionEnv, _, err = v.lookup("encryptionEnv"); err != nil {
		return err
	}
	if value, ok, err := v.lookup("dev"); err != nil {
		return err
	} else if ok {
		if base.DefaultDev, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("%s=%q can't be used: write true or false", EnvName("dev"), value)
		}
	}
	if value, ok, err := v.lookup("queryTimeout"); err != nil {
		return err
	} else if ok {
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds < 1 {
			return fmt.Errorf("%s=%q can't be used: write a number of seconds", EnvName("queryTimeout"), value)
		}
		base.DefaultQueryTimeout = time.Duration(seconds) * time.Second
	}
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
