module connect-ha/gcfg-oracle

go 1.15

require gopkg.in/gcfg.v1 v1.2.3

require gopkg.in/warnings.v0 v0.1.2 // indirect
