package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// assembly synthesizes, and keeps the assembly until it is released.
func (p Project) assembly(ctx context.Context, endpoint string, settings []string, log Log) (
	folder string, release func(), err error,
) {
	unlock, err := p.Lock(ctx, "deploy")
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	if folder, err = p.synthesize(ctx, endpoint, settings, log); err != nil {
		return "", nil, err
	}
	build := filepath.Base(filepath.Dir(folder))
	release, err = p.lock(ctx, filepath.Join("cdk.out", build), syscall.LOCK_SH)
	return folder, release, err
}

// synthesize builds the CDK app and the functions, and returns the folder with the app's cloud assembly for these
// settings (key=value), which `cdk deploy --app` deploys. It runs the app only if no earlier call ran the same build
// with the same settings. The caller holds the lock "deploy".
func (p Project) synthesize(ctx context.Context, endpoint string, settings []string, log Log) (string, error) {
	if err := p.build(ctx, log); err != nil {
		return "", err
	}
	build, err := p.digestOfBuild()
	if err != nil {
		return "", err
	}
	builds := filepath.Join(p.Dir(), "cdk.out")
	assembly := filepath.Join(builds, build, digest([]byte(strings.Join(settings, "\n"))))
	complete := assembly + ".complete"
	if _, err := os.Stat(complete); err == nil {
		return assembly, nil
	}
	if err := removeUnused(builds, build); err != nil {
		return "", fmt.Errorf("removing assemblies of other builds: %w", err)
	}
	return assembly, log.step("run the CDK app", func() error {
		if err := p.cdk(ctx, endpoint, log, append([]string{"synth", "--quiet"},
			app(assembly, settings)...)...); err != nil {
			return fmt.Errorf("running the CDK app: %w", err)
		}
		return os.WriteFile(complete, nil, 0o644)
	})
}

// app is the options of cdk to run the app with these settings (key=value) and write its assembly into the folder.
func app(folder string, settings []string) []string {
	args := []string{"--output", folder, "-c", "architecture=" + architecture()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// architecture is the CDK app's setting for this machine's processor.
func architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// build builds the CDK app and the functions, as cdk does before it deploys them. The caller holds the lock "deploy".
func (p Project) build(ctx context.Context, log Log) error {
	raw, err := os.ReadFile(filepath.Join(p.Root, "cdk.json"))
	if err != nil {
		return fmt.Errorf("reading how to build the app: %w", err)
	}
	var app struct{ Build string }
	if err := json.Unmarshal(raw, &app); err != nil {
		return fmt.Errorf("reading how to build the app: %w", err)
	}
	return log.step("build the CDK app and the functions", func() error {
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error { return p.run(ctx, log, environment(), "/bin/sh", "-c", app.Build) })
		both.Go(func() error {
			return p.run(ctx, log, environment(), "make", "functions", "GOARCH="+runtime.GOARCH)
		})
		return both.Wait()
	})
}

// digestOfBuild is the digest of all that an assembly follows from, except the settings: the app, the functions, the
// CDK command line and the context files that it reads.
func (p Project) digestOfBuild() (string, error) {
	files, err := filepath.Glob(filepath.Join(p.Root, "build", "functions", runtime.GOARCH, "*", "bootstrap"))
	if err != nil {
		return "", err // cannot happen: the pattern is well-formed
	}
	slices.Sort(files)
	for _, name := range []string{"build/infra", "package-lock.json", "cdk.json", "cdk.context.json"} {
		files = append(files, filepath.Join(p.Root, name))
	}
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".cdk.json"))
	}
	all := sha256.New()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("reading what was built: %w", err)
		}
		fmt.Fprintln(all, file, len(content), digest(content))
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// removeUnused removes the assemblies of other builds that no deployment uses.
func removeUnused(folder, build string) error {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() || entry.Name() == build {
			continue
		}
		other := filepath.Join(folder, entry.Name())
		lock, err := os.OpenFile(other+".lock", os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return err
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			err = errors.Join(os.RemoveAll(other), os.Remove(other+".lock"))
		}
		if err = errors.Join(err, lock.Close()); err != nil {
			return err
		}
	}
	return nil
}
