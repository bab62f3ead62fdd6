"""PoseC3D in JAX: skeletons over time become heatmap volumes, a 3D-CNN names the action.

Array letters, the same everywhere: B batch, M persons, T frames, V keypoints, L limbs, H rows,
W columns, C channels, K classes. Arrays are channels-last.

From Python: `posec3d_jax.prepare.prepare`, `posec3d_jax.train.train_and_evaluate`,
`posec3d_jax.evaluate.evaluate`, `posec3d_jax.predict.predict`.
"""
