"""What kube-controller-manager and kube-scheduler do, as far as Services and the pods behind them need it."""
