//! Pipelines of CI systems: whether each has what its system asks for, and the commands in it.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

/// The commands of the pipeline in `file`, whose place in a repository, `path`, says for which system it is.
///
/// # Errors
/// When the file is no YAML, or lacks what its system asks for.
pub(crate) fn scripts(path: &str, file: &Path) -> Result<Vec<String>, String> {
    let pipeline = parse(file)?;
    match path {
        ".pre-commit-config.yaml" => pre_commit(&pipeline),
        ".gitlab-ci.yml" => gitlab(&pipeline),
        path if path.starts_with(".github/workflows/") => github(&pipeline),
        path if path.starts_with("tekton/") => tekton(&pipeline),
        path => Err(format!("no system is known that reads {path}")),
    }
}

/// The YAML of a file, read by somebody else's program.
fn parse(file: &Path) -> Result<Json, String> {
    let program =
        "import json, sys, yaml; print(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))";
    let output = Command::new("python3").args(["-c", program]).arg(file).output();
    let output = output.map_err(|error| format!("python3 cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

fn pre_commit(pipeline: &Json) -> Result<Vec<String>, String> {
    let mut entries = Vec::new();
    for repository in list(pipeline, "repos")? {
        text(repository, "repo")?;
        for hook in list(repository, "hooks")? {
            for field in ["id", "name", "language"] {
                text(hook, field)?;
            }
            entries.push(text(hook, "entry")?);
        }
    }
    Ok(entries)
}

fn github(pipeline: &Json) -> Result<Vec<String>, String> {
    field(pipeline, "on")?;
    let mut scripts = Vec::new();
    for job in field(pipeline, "jobs")?.as_object().into_iter().flat_map(|jobs| jobs.values()) {
        text(job, "runs-on")?;
        for step in list(job, "steps")? {
            match text(step, "uses") {
                Ok(action) if action.contains('@') => {}
                Ok(action) => return Err(format!("{action} is of no version")),
                Err(_) => scripts.push(text(step, "run")?),
            }
        }
    }
    Ok(scripts)
}

fn gitlab(pipeline: &Json) -> Result<Vec<String>, String> {
    let mut scripts = Vec::new();
    for job in pipeline.as_object().into_iter().flat_map(|jobs| jobs.values()) {
        text(job, "image")?;
        let lines = list(job, "script")?.iter().map(|line| line.as_str().unwrap_or_default());
        scripts.push(lines.collect::<Vec<_>>().join("\n"));
    }
    Ok(scripts)
}

fn tekton(pipeline: &Json) -> Result<Vec<String>, String> {
    let kind = (text(pipeline, "apiVersion")?, text(pipeline, "kind")?);
    if kind != ("tekton.dev/v1".to_owned(), "Task".to_owned()) {
        return Err(format!("{kind:?} is no task"));
    }
    text(field(pipeline, "metadata")?, "name")?;
    let mut scripts = Vec::new();
    for step in list(field(pipeline, "spec")?, "steps")? {
        text(step, "name")?;
        text(step, "image")?;
        scripts.push(text(step, "script")?);
    }
    Ok(scripts)
}

fn field<'j>(of: &'j Json, name: &str) -> Result<&'j Json, String> {
    of.get(name).ok_or_else(|| format!("`{name}` is not in {of}"))
}

fn text(of: &Json, name: &str) -> Result<String, String> {
    let text = field(of, name)?.as_str();
    text.map(str::to_owned).ok_or_else(|| format!("`{name}` is no text in {of}"))
}

fn list<'j>(of: &'j Json, name: &str) -> Result<&'j Vec<Json>, String> {
    let list = field(of, name)?.as_array().filter(|list| !list.is_empty());
    list.ok_or_else(|| format!("`{name}` is no list in {of}"))
}
