//! The script for Slurm, with stand-ins for Slurm's commands and for Ray: what it would have them do.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/slurm.sh");

/// What the script says and has done in an allocation of so many nodes, with a Ray that knows `symmetric-run` or not.
fn asked(nodes: usize, ray: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    write(
        "srun",
        r#"test ${#RAY_AUTH_TOKEN} = 64 && echo "$SRUN_CPUS_PER_TASK: $*""#,
    );
    write("scontrol", "printf 'n1\\nn2\\n'");
    write(
        "getent",
        "printf '127.0.1.1 STREAM n1\\n10.1.2.3 STREAM\\n'",
    );
    write("ray", ray);
    write("python3", "");
    write("sleep", "");
    write("reward-search", r#"echo "search: $*""#);
    let path = std::env::var("PATH").unwrap();
    let said = Command::new("bash")
        .args([SCRIPT, "c.toml", "--quiet"])
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("SLURM_JOB_NUM_NODES", nodes.to_string())
        .envs([
            ("SLURM_JOB_NODELIST", "n[1-2]"),
            ("SLURM_JOB_ID", "123456"),
            ("SLURM_GPUS_ON_NODE", "8"),
            ("SLURM_CPUS_PER_TASK", "64"),
        ])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && err.is_empty(), "{err}");
    let mut lines: Vec<String> = String::from_utf8(said.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    // Steps in the background write when they are there.
    lines.sort_unstable();
    lines
}

#[test]
fn an_allocation_becomes_a_cluster_and_one_node_needs_none() {
    assert!(Path::new(SCRIPT).exists());
    assert_eq!(asked(1, "exit 1"), ["search: run c.toml --quiet"]);
    assert_eq!(
        asked(2, ""),
        [
            "64: --nodes=2 --ntasks=2 ray symmetric-run --address 10.1.2.3:23456 --min-nodes 2 --num-cpus=64 --num-gpus=8 -- \
             reward-search run c.toml --quiet"
        ]
    );
    let old = asked(3, "exit 2");
    let one = "64: --nodes=1 --ntasks=1 --overlap --nodelist=n1";
    assert_eq!(
        old,
        [
            format!(
                "{one} ray start --block --head --node-ip-address=10.1.2.3 --port=23456 --dashboard-host=127.0.0.1 --num-cpus=64 --num-gpus=8"
            ),
            format!("{one} reward-search run c.toml --quiet"),
            "64: --nodes=2 --ntasks=2 --overlap --exclude=n1 ray start --block --address=10.1.2.3:23456 --num-cpus=64 --num-gpus=8".to_owned(),
        ]
    );
}
