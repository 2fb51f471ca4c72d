module connect-ha/rskey-vectors

go 1.24

require github.com/rstudio/rskey v0.6.0

require (
	golang.org/x/crypto v0.31.0 // indirect
	golang.org/x/sys v0.28.0 // indirect
)
