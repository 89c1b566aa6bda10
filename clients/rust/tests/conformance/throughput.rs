use std::future::Future;
use std::time::{Duration, Instant};

use pando::v1::tree_service_client::TreeServiceClient;
use pando::v1::GetRequest;
use pando::Options;
use tokio::task::JoinSet;

use crate::world::World;

fn root() -> GetRequest {
    GetRequest { path: "/".into(), ..Default::default() }
}

/// Answers a second to a thousand callers.
async fn rate<F: Future<Output = ()> + Send + 'static>(
    get: impl Fn() -> F + Clone + Send + Sync + 'static,
) -> u32 {
    let mut callers = JoinSet::new();
    let end = Instant::now() + Duration::from_secs(1);
    for _ in 0..1000 {
        let get = get.clone();
        callers.spawn(async move {
            let mut count = 0;
            while Instant::now() < end {
                get().await;
                count += 1;
            }
            count
        });
    }
    callers.join_all().await.into_iter().sum()
}

/// Of reads: how many writes a second there are is for the ensemble's disks to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipeline_throughput() {
    let mut world = World::new().await;
    let leader = world.leader();
    let endpoint = world.endpoints()[leader - 1].clone();
    let session = world.connect(Options::new([endpoint.clone()])).await;
    let stub = TreeServiceClient::connect(format!("http://{endpoint}")).await.unwrap();
    let (mut unary, mut pipeline) = (0, 0);
    for _ in 0..4 {
        let stub = stub.clone();
        let one = move || {
            let mut stub = stub.clone();
            async move { drop(stub.get(root()).await.unwrap()) }
        };
        unary = unary.max(rate(one).await);
        let session = session.clone();
        let one = move || {
            let session = session.clone();
            async move { drop(session.get(root()).await.unwrap()) }
        };
        pipeline = pipeline.max(rate(one).await);
    }
    let times = f64::from(pipeline) / f64::from(unary);
    println!("unary {unary}/s, pipeline {pipeline}/s: {times:.1} times as many");
    assert!(times >= 5.0);
    world.end().await;
}
