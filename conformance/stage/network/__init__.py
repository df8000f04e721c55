"""The network under the plugin's own clients: real bytes between real peers, with no socket."""
