// As README.md prints it; the test holds the two together.
async fn quickstart(endpoints: &[String]) -> pando::Result<String> {
    let session = pando::Session::connect(pando::Options::new(endpoints)).await?;
    let targets = vec![pando::watch_subtree("/color")];
    let request = pando::v1::WatchRequest { targets, ..Default::default() };
    let mut watch = session.watch(request).await?;
    let (path, data) = (String::from("/color"), Some(b"green".to_vec()));
    let create = pando::v1::CreateRequest { path, data, ..Default::default() };
    match session.create(create.clone()).await {
        Err(error) if error.reason == pando::Reason::NodeExists => {
            let (path, data) = (create.path, create.data);
            session.set(pando::v1::SetRequest { path, data, ..Default::default() }).await?;
        }
        created => drop(created?),
    }
    let event = watch.next().await.expect("the session is open")?;
    session.close().await;
    Ok(format!("{} {}", event.path, String::from_utf8_lossy(event.data())))
}

#[cfg(test)]
mod test {
    use crate::world::World;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn quickstart() {
        let readme = include_str!("../../README.md");
        let blocks: Vec<_> = readme.split("```").skip(1).step_by(2).collect();
        let printed = blocks[0].strip_prefix("rust\n").expect("it is Rust");
        assert_eq!(blocks.len(), 1);
        assert!(include_str!("quickstart.rs").contains(printed), "not what README.md prints");
        let world = World::new().await;
        assert_eq!(super::quickstart(world.endpoints()).await.unwrap(), "/color green");
        world.end().await;
    }
}
