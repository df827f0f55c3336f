"""Starting and ending a lab from outside.

launcher (`nftconform lab up`, `run --lab`)   opens the API's socket on 127.0.0.1, holds the lifeline
 `- watchdog      outside the namespaces; ends the lab when the lifeline closes, and takes its files away
     `- supervisor   the first process of the lab's PID namespace; with it everything in the lab ends
"""
