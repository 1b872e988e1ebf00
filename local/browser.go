package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Browser is a Chromium for tests and screenshots.
type Browser struct {
	Path        string
	Environment []string // NAME=value, in addition to this process's
}

// InstallBrowser returns the Chromium that CHROMIUM names, or else the pinned one (tools/browser), unpacked into
// .local/browser without root. The pinned one runs on Linux on x86-64; elsewhere it is the first one on PATH. Several
// processes may call it at once.
func (p Project) InstallBrowser(ctx context.Context, log Log) (Browser, error) {
	if named := os.Getenv("CHROMIUM"); named != "" {
		return Browser{Path: named}, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
			if path, err := exec.LookPath(name); err == nil {
				return Browser{Path: path}, nil
			}
		}
		return Browser{}, errors.New(
			"no Chromium on PATH, and the pinned one is for linux/amd64: install one, or set CHROMIUM to its path")
	}
	unlock, err := p.Lock(ctx, "browser")
	if err != nil {
		return Browser{}, err
	}
	defer unlock()
	tools, dir := filepath.Join(p.Root, "tools", "browser"), filepath.Join(p.Dir(), "browser")
	browser := Browser{Path: filepath.Join(dir, "chromium"), Environment: []string{
		"LD_LIBRARY_PATH=" + filepath.Join(dir, "lib"), "FONTCONFIG_FILE=" + filepath.Join(dir, "these-fonts.conf")}}
	pins, err := os.ReadFile(filepath.Join(tools, "package-lock.json"))
	if err != nil {
		return Browser{}, fmt.Errorf("reading the browser's pins: %w", err)
	}
	stamp := filepath.Join(dir, "installed")
	if unchanged(stamp, pins) {
		return browser, nil
	}
	err = log.step("install the pinned Chromium", func() error { return p.unpackBrowser(ctx, tools, dir, log) })
	if err != nil {
		return Browser{}, fmt.Errorf("installing the browser: %w", err)
	}
	return browser, writeStamp(stamp, pins)
}

func (p Project) unpackBrowser(ctx context.Context, tools, dir string, log Log) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := p.run(ctx, log, nil, "npm", "ci", "--prefix", tools, "--no-audit", "--no-fund",
		"--loglevel=error"); err != nil {
		return err
	}
	if err := p.run(ctx, log, nil, "node", filepath.Join(tools, "unpack.mjs"), dir); err != nil {
		return err
	}
	for _, name := range []string{"al2023.tar", "fonts.tar", "swiftshader.tar"} {
		archive := filepath.Join(dir, name)
		if err := p.run(ctx, log, nil, "tar", "--extract", "--file", archive, "--directory", dir); err != nil {
			return err
		}
		if err := os.Remove(archive); err != nil {
			return err
		}
	}
	fonts := fmt.Sprintf("<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM "+
		"\"fonts.dtd\">\n<fontconfig><dir>%s</dir><dir>/usr/share/fonts</dir><cachedir>%s</cachedir></fontconfig>\n",
		filepath.Join(dir, "fonts"), filepath.Join(dir, "fontcache"))
	return os.WriteFile(filepath.Join(dir, "these-fonts.conf"), []byte(fonts), 0o644)
}
