module pando.test/compat

go 1.24.0
