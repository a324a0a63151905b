module shipway-bench

go 1.19
