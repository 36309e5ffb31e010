import react from "@vitejs/plugin-react";

export default { plugins: [react()], build: { target: "esnext", minify: false }, define: { "process.env.NODE_ENV": '"production"' } };
