module pando.test/compat

go 1.24.0

require github.com/go-zookeeper/zk v1.0.4
