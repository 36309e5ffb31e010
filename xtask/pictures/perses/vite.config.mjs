import react from "@vitejs/plugin-react";

export default { plugins: [react()], build: { target: "esnext", minify: false }, define: { global: "globalThis", "process.env.NODE_ENV": '"production"' } };
