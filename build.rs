//! Builds the page under `src/ui` and writes the table of files that `bbd` embeds.
//!
//! `BLUEBEAN_UI_DIST` names a ready build (a directory with `index.html`) and skips npm, for
//! packagers without network and for tests. Without `src/ui/package.json` the page is one line.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PLACEHOLDER: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>BlueBean</title><p>This bbd was built without its page.</html>\n";

fn main() -> std::process::ExitCode {
    match build() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BLUEBEAN_UI_DIST");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?);
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets no CARGO_MANIFEST_DIR")?);
    let dist = match env::var_os("BLUEBEAN_UI_DIST").filter(|value| !value.is_empty()) {
        Some(named) => ready(root.join(named))?,
        None => page(&root.join("src/ui"), &out.join("ui"))?,
    };
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    let mut files = Vec::new();
    walk(&dist, &mut files)?;
    files.sort();
    for file in &files {
        let path = file.strip_prefix(&dist)?.to_str().ok_or("the page has a file whose name is not UTF-8")?;
        let (kind, immutable) = (content_type(path)?, path.starts_with("assets/"));
        writeln!(
            table,
            "    Asset {{ path: {:?}, content_type: {kind:?}, immutable: {immutable}, bytes: include_bytes!({:?}) }},",
            format!("/{path}"),
            file.to_str().ok_or("the page lies in a folder whose name is not UTF-8")?,
        )?;
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

/// A build that someone else made.
fn ready(dist: PathBuf) -> Result<PathBuf> {
    println!("cargo::rerun-if-changed={}", dist.display());
    if dist.join("index.html").is_file() {
        Ok(dist)
    } else {
        Err(format!("BLUEBEAN_UI_DIST names {}, which has no index.html", dist.display()).into())
    }
}

/// Builds the page into `out`; a page without sources is the placeholder.
fn page(sources: &Path, out: &Path) -> Result<PathBuf> {
    println!("cargo::rerun-if-changed={}", sources.join("package.json").display());
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out)?;
    if !sources.join("package.json").is_file() {
        fs::write(out.join("index.html"), PLACEHOLDER)?;
        return Ok(out.to_owned());
    }
    for entry in fs::read_dir(sources)? {
        let entry = entry?;
        // What npm itself writes must not look like a change, or every build would build the page again.
        if !matches!(entry.file_name().to_str(), None | Some("node_modules" | "dist" | "generated")) {
            println!("cargo::rerun-if-changed={}", entry.path().display());
        }
    }
    if !installed(sources) {
        npm(sources, out, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    }
    npm(sources, out, &["run", "build"])?;
    if out.join("index.html").is_file() {
        Ok(out.to_owned())
    } else {
        Err("`npm run build` in src/ui made no index.html".into())
    }
}

/// Whether `npm ci` has run since the lock file last changed; npm leaves its own copy behind.
fn installed(sources: &Path) -> bool {
    let changed = |path: &str| fs::metadata(sources.join(path)).and_then(|it| it.modified());
    match (changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        (Ok(wanted), Ok(present)) => present >= wanted,
        _ => false,
    }
}

#[expect(clippy::print_stderr, reason = "a build script's stderr is what cargo shows when it fails")]
fn npm(sources: &Path, out: &Path, arguments: &[&str]) -> Result<()> {
    let told = format!("npm {}", arguments.join(" "));
    let output =
        Command::new("npm").args(arguments).current_dir(sources).env("BLUEBEAN_UI_OUT", out).output();
    let output = output.map_err(|error| {
        format!(
            "can't run npm ({error}): install Node 20, or set BLUEBEAN_UI_DIST to a ready build of src/ui"
        )
    })?;
    if output.status.success() {
        return Ok(());
    }
    // Cargo shows this only when the script fails.
    eprintln!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("`{told}` in src/ui failed; its output is above, or set BLUEBEAN_UI_DIST to a ready build")
        .into())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn content_type(path: &str) -> Result<&'static str> {
    Ok(match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        "txt" => "text/plain; charset=utf-8",
        _ => return Err(format!("build.rs knows no content type for the page's file {path}").into()),
    })
}
