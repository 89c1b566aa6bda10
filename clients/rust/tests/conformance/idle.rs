use std::fs;
use std::io::{stdin, BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::world::World;
use pando::v1::WatchRequest;
use pando::{watch_node, Options, Session};

const ENDPOINTS: &str = "PANDO_TEST_IDLE";
const SAYS: &str = "holds an idle session";

#[test]
#[ignore = "the process that idle_session looks at"]
fn hold() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let held = runtime.block_on(async {
        let endpoints = std::env::var(ENDPOINTS).unwrap();
        let session = Session::connect(Options::new(endpoints.split(','))).await.unwrap();
        let request = WatchRequest { targets: vec![watch_node("/")], ..Default::default() };
        let watch = session.watch(request).await.unwrap();
        (session, watch)
    });
    println!("{SAYS}");
    stdin().read_to_end(&mut Vec::new()).unwrap(); // until the test is done
    drop(held);
}

/// How often the threads of a process have waited for something.
fn waits(process: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .map(|task| {
            let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.unwrap().trim().parse::<u64>().unwrap()
        })
        .sum()
}

/// A wake-up is a moment in which any thread of the process ran: what a beat makes runs within one,
/// from thread to thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_session() {
    const SECONDS: u32 = 10;
    const MOMENTS: u32 = 50;
    let world = World::new().await;
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "idle::hold", "--ignored", "--nocapture"])
        .env(ENDPOINTS, world.endpoints().join(","))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains(SAYS)));
    sleep(Duration::from_secs(1));
    let (mut wake_ups, mut before) = (0, waits(holder.id()));
    for _ in 0..SECONDS * MOMENTS {
        sleep(Duration::from_secs(1) / MOMENTS);
        let now = waits(holder.id());
        wake_ups += u32::from(now != before);
        before = now;
    }
    drop(holder.stdin.take());
    let said = said.last(); // a reader that were gone would fail it
    assert!(holder.wait().unwrap().success(), "{said:?}");
    let rate = f64::from(wake_ups) / f64::from(SECONDS);
    println!("an idle session wakes up {rate} times a second");
    assert!(wake_ups < SECONDS, "{wake_ups} wake-ups in {SECONDS} s");
    world.end().await;
}
