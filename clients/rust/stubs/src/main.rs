//! stubs OUT: generates the stubs of protos/pando/v1 into OUT; run from the repository's root.
//!
//! A program and no build.rs: who uses the crate needs neither protoc nor the protos.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).ok_or("usage: stubs OUT")?;
    let mut protos = Vec::new();
    for entry in std::fs::read_dir("protos/pando/v1")? {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            protos.push(path);
        }
    }
    protos.sort();
    tonic_prost_build::configure()
        .build_server(false)
        .out_dir(out)
        .compile_protos(&protos, &[PathBuf::from("protos")])?;
    Ok(())
}
