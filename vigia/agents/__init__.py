"""One Faust agent a file. Each hands its batches to the lanes, where a batch is one step of its model."""
